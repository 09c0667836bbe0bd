"""The rate limits in real minutes: four processes hammer them, and what reaches the server is counted there.

`BENCH_LIMIT_SECONDS` (130) is how long each load runs. Then a batch of 200 calls of which 5 % are answered 429 with
`retry-after: 1`, against the same batch without. Nothing is asserted.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django.utils import timezone

from batches import engine
from batches.models import BatchJob
from batches.planning import Order, create
from conversations.coverage import fill_gaps
from conversations.models import Conversation, PromptTemplate, Workspace
from generation import claude
from generation.limits import WINDOW
from generation.models import GenerationLog, RateState
from tests.generation.hammer import Load, hammering
from tests.generation.recording_server import Event, Recorder, most_in_any, recording

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SECONDS = float(os.environ.get("BENCH_LIMIT_SECONDS", "130"))
MINUTE = 60.0
ITEMS, CONCURRENCY, LATENCY = 200, 20, 0.5  # seconds a call
IDEAL = ITEMS / CONCURRENCY * LATENCY


def test_sixty_requests_a_minute() -> None:
    recorder = Recorder(latency=0.5)
    _hammer(recorder, Load(60))
    _report("requests", recorder.requests, 60)


def test_tokens_a_minute() -> None:
    recorder = Recorder(latency=2, most_input=1_000, most_output=1_000)
    _hammer(recorder, Load(10_000, input=60_000, output=60_000))
    _report("input tokens", recorder.input, 60_000)
    _report("output tokens", recorder.output, 60_000)


def _hammer(recorder: Recorder, load: Load) -> None:
    with recording(recorder), hammering(recorder.url, *[load] * 4, database=_database()) as hammers:
        hammers.begin()
        time.sleep(SECONDS)
        hammers.stop()
    print(f"\nfour processes for {SECONDS:.0f} s, {load.at_once} requests each at a time")
    print(f"requests by process {sorted(recorder.by_asker().values())}, most ÷ least {recorder.fairness():.3f}")
    print(f"after the signal to stop, the last wait ended in {max(hammers.paused_after):.3f} s")


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _report(what: str, events: list[Event], limit: int) -> None:
    first = min(at for at, _amount in events)
    windows = int(SECONDS // WINDOW)  # whole ones
    total = sum(amount for at, amount in events if at < first + windows * WINDOW)
    allowed = limit * windows
    print(f"{what}: {most_in_any(MINUTE, events):,} in the fullest {MINUTE:.0f} s, of {limit:,}")
    print(f"{what}: {total:,} used of {allowed:,} in {windows * WINDOW:.0f} s, idle share {1 - total / allowed:.3f}")


@contextmanager
def _simulated(refused: float, settings: Any) -> Iterator[None]:
    """Simulated Claude in a process of its own, which answers such a share of the requests with 429."""
    command = [sys.executable, str(configured.BASE_DIR / "manage.py"), "simulate_claude", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--latency", str(LATENCY), "--jitter", "0", "--fault-rate", str(refused), "--faults", "429"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CONVGEN_VAR_DIR": str(settings.VAR_DIR), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY = process.stdout.readline().split()[-1], "bench"
    settings.RATE_LIMIT_RPM = 60_000
    yield
    process.terminate()
    process.wait(timeout=10)


def test_a_batch_with_five_percent_429s(starter: Workspace, settings: Any) -> None:
    claude.preload()
    PromptTemplate.objects.filter(tier="template").update(target_count=2 * ITEMS)
    fill_gaps(starter, "template")
    walls = []
    for refused in (0.0, 0.05):
        with _simulated(refused, settings):
            walls.append(_wall(starter))
    count = GenerationLog.objects.filter(error_type="rate_limited").count()
    blocked = RateState.objects.filter(blocked_until__isnull=False).exists()
    print(f"\n{ITEMS} calls of {LATENCY} s, {CONCURRENCY} at a time: ideal {IDEAL:.2f} s")
    print(f"without 429s {walls[0]:.2f} s, {walls[0] / IDEAL:.3f} × ideal")
    print(f"with {count} 429s {walls[1]:.2f} s, {walls[1] / IDEAL:.3f} × ideal, ÷ without {walls[1] / walls[0]:.3f}")
    print(f"everybody was asked to wait: {'yes' if blocked else 'no'}")


def _wall(workspace: Workspace) -> float:
    """Seconds of a batch."""
    drafts = Conversation.objects.filter(status="draft").order_by("conversation_id")[:ITEMS]
    chosen = [draft.conversation_id for draft in drafts]
    job = create(Order(workspace, selection="chosen", chosen=chosen, concurrency=CONCURRENCY), inline=True)
    assert job is not None
    BatchJob.objects.filter(pk=job.pk).update(started_at=timezone.now())
    engine.run_slice(job.pk, on_unfinished=lambda _job_id: None)
    job.refresh_from_db()
    assert job.successful_items == ITEMS, job.status_reason
    assert job.started_at and job.completed_at
    return (job.completed_at - job.started_at).total_seconds()
