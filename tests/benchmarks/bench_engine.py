"""The engine against a bare loop: 200 calls of 0.5 s, 20 at a time, so ideally 5 s.

Both talk to the same simulated Claude, a process of its own, with the same requests. The engine's wall is the job's
start to its end as the database has it: prompt resolution, limits, quality, near duplicates, logs and all writes.
The bare loop only sends and reads. Rounds alternate; medians are printed. Nothing is asserted.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil
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
from generation.configuration import configuration_of
from generation.request import build_request, descriptions

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

ITEMS = 200
CONCURRENCY = 20
LATENCY = 0.5  # seconds
IDEAL = ITEMS / CONCURRENCY * LATENCY  # seconds
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


@pytest.fixture
def server(settings: Any) -> Iterator[str]:
    """Simulated Claude in a process of its own, with a constant latency."""
    command = [sys.executable, str(configured.BASE_DIR / "manage.py"), "simulate_claude", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--latency", str(LATENCY), "--jitter", "0", "--idle-exit", "300"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CONVGEN_VAR_DIR": str(settings.VAR_DIR), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    url = process.stdout.readline().split()[-1]
    settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY, settings.RATE_LIMIT_RPM = url, "bench", 60_000
    yield url
    process.terminate()
    process.wait(timeout=10)


def test_two_hundred_calls_of_half_a_second(server: str, starter: Workspace) -> None:
    claude.preload()
    PromptTemplate.objects.filter(tier="template").update(target_count=ITEMS * ROUNDS)
    bare, ours, queries = [], [], 0
    for number in range(ROUNDS):
        job = _job(starter, number)
        bare.append(_bare_loop(server, _requests(job)))
        BatchJob.objects.filter(pk=job.pk).update(started_at=timezone.now())
        before = _statements()
        engine.run_slice(job.pk, on_unfinished=lambda _job_id: None)
        queries = _statements() - before
        job.refresh_from_db()
        assert job.successful_items == ITEMS, job.status_reason
        ours.append((job.completed_at - job.started_at).total_seconds())
    _report(bare, ours, queries)


def _job(workspace: Workspace, number: int) -> BatchJob:
    """A job over the next drafts; its clock starts right before its slice."""
    if number == 0:
        fill_gaps(workspace, "template")
    drafts = Conversation.objects.filter(status="draft").order_by("conversation_id")[:ITEMS]
    chosen = [draft.conversation_id for draft in drafts]
    order = Order(workspace, selection="chosen", chosen=chosen, concurrency=CONCURRENCY)
    job = create(order, inline=True)
    assert job is not None
    return job


def _requests(job: BatchJob) -> list[dict[str, Any]]:
    described = descriptions(job.workspace_id)
    drafts = Conversation.objects.filter(batch_items__job=job).select_related("template", "chunk__document")
    return [build_request(draft, configuration=configuration_of([job]), described=described) for draft in drafts]


def _bare_loop(url: str, requests: list[dict[str, Any]]) -> float:
    """Seconds that AsyncAnthropic and a semaphore take."""
    import anthropic

    async def run() -> None:
        gate = asyncio.Semaphore(CONCURRENCY)
        async with anthropic.AsyncAnthropic(api_key="bench", base_url=url, max_retries=0) as client:

            async def send(request: dict[str, Any]) -> None:
                async with gate:
                    await client.messages.create(**request)

            await asyncio.gather(*(send(request) for request in requests))

    begun = time.monotonic()
    asyncio.run(run())
    return time.monotonic() - begun


def _statements() -> int:
    """SQL statements of this database so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(calls) FROM pg_stat_statements JOIN pg_database ON dbid = oid "
            "WHERE datname = current_database() AND query NOT LIKE '%FOR KEY SHARE OF x'"  # foreign keys being checked
        )
        return int(cursor.fetchone()[0] or 0)


def _report(bare: list[float], ours: list[float], statements: int) -> None:
    memory = psutil.Process().memory_info().rss / 1e6
    middle_bare, middle_ours = statistics.median(bare), statistics.median(ours)
    print(f"\n{ITEMS} items, concurrency {CONCURRENCY}, {LATENCY} s a call: ideal {IDEAL:.2f} s; {ROUNDS} rounds")
    print(f"bare loop  {middle_bare:.2f} s  {middle_bare / IDEAL:.3f} × ideal   {[round(one, 2) for one in bare]}")
    print(f"engine     {middle_ours:.2f} s  {middle_ours / IDEAL:.3f} × ideal   {[round(one, 2) for one in ours]}")
    print(
        f"engine ÷ bare {middle_ours / middle_bare:.3f}; {statements / ITEMS:.1f} statements per item; {memory:.0f} MB"
    )
