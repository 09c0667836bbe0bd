"""The engine against a bare loop, which only sends and reads: the same requests to the same simulated Claude.

The engine's wall is the job's start to its end as the database has it: prompt resolution, limits, quality, near
duplicates, logs and all writes. Ideal is what the calls themselves take. Rounds alternate; medians are printed.
`BENCH_ROUNDS` (3) is how often each load runs. Nothing is asserted about time.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


@dataclass(frozen=True)
class Scenario:
    name: str
    bar: float  # of the engine, × ideal; 0: none
    items: int = 200
    concurrency: int = 20
    jitter: float = 0.0  # share of the latency
    refused: float = 0.0  # share of requests that are answered 429 with `retry-after: 1`
    latency: float = 0.5  # seconds, on average

    @property
    def ideal(self) -> float:
        """Seconds."""
        return self.items * self.latency / self.concurrency


LOADS = [
    Scenario("half a second a call", bar=1.15),
    Scenario("0.1 to 0.9 s a call", bar=1.2, jitter=0.8),
    Scenario("5 % 429s with retry-after 1", bar=1.5, refused=0.05),
    Scenario("a thousand, 50 at a time", bar=0, items=1_000, concurrency=50),
]


@dataclass
class Measured:
    bare: list[float] = field(default_factory=list)  # seconds
    engine: list[float] = field(default_factory=list)
    statements: int = 0
    grown: float = 0.0  # memory that the engine's runs added to the process, in MB


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
def test_the_engine_beside_a_bare_loop(load: Scenario, starter: Workspace, settings: Any) -> None:
    claude.preload()
    PromptTemplate.objects.filter(tier="template").update(target_count=load.items * ROUNDS)
    fill_gaps(starter, "template")
    measured = Measured()
    with _simulated(load, settings) as url:
        for _round in range(ROUNDS):
            job = _job(starter, load)
            measured.bare.append(_bare_loop(url, _requests(job), load.concurrency))
            _run(job, load, measured)
    _report(load, measured)


@contextmanager
def _simulated(load: Scenario, settings: Any) -> Iterator[str]:
    """Simulated Claude in a process of its own."""
    command = [sys.executable, str(configured.BASE_DIR / "manage.py"), "simulate_claude", "--port", "0"]
    behaviour = {"latency": load.latency, "jitter": load.jitter, "fault-rate": load.refused, "faults": "429"}
    options = [text for name, value in behaviour.items() for text in (f"--{name}", str(value))]
    process = subprocess.Popen(
        [*command, *options, "--idle-exit", "300"],
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


def _job(workspace: Workspace, load: Scenario) -> BatchJob:
    """A job over the next drafts."""
    drafts = Conversation.objects.filter(status="draft").order_by("conversation_id")[: load.items]
    chosen = [draft.conversation_id for draft in drafts]
    order = Order(workspace, selection="chosen", chosen=chosen, concurrency=load.concurrency, max_attempts=10)
    job = create(order, inline=True)
    assert job is not None
    return job


def _run(job: BatchJob, load: Scenario, measured: Measured) -> None:
    """Run the job in one slice; its clock starts now."""
    BatchJob.objects.filter(pk=job.pk).update(started_at=timezone.now())
    statements, memory = _statements(), _memory()
    engine.run_slice(job.pk, on_unfinished=lambda _job_id: None)
    measured.statements = _statements() - statements
    measured.grown = max(measured.grown, _memory() - memory)
    job.refresh_from_db()
    assert job.successful_items == load.items, job.status_reason
    assert job.started_at and job.completed_at
    measured.engine.append((job.completed_at - job.started_at).total_seconds())


def _requests(job: BatchJob) -> list[dict[str, Any]]:
    described = descriptions(job.workspace_id)
    drafts = Conversation.objects.filter(batch_items__job=job).select_related("template", "chunk__document")
    return [build_request(draft, configuration=configuration_of([job]), described=described) for draft in drafts]


def _bare_loop(url: str, requests: list[dict[str, Any]], concurrency: int) -> float:
    """Seconds that AsyncAnthropic and a semaphore take; the SDK tries again by itself."""
    import anthropic

    async def run() -> None:
        gate = asyncio.Semaphore(concurrency)
        async with anthropic.AsyncAnthropic(api_key="bench", base_url=url, max_retries=10) as client:

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


def _memory() -> float:
    """MB of this process."""
    return float(psutil.Process().memory_info().rss / 1e6)


def _report(load: Scenario, measured: Measured) -> None:
    bare, ours, ideal = statistics.median(measured.bare), statistics.median(measured.engine), load.ideal
    print(f"\n{load.name}: {load.items} items, concurrency {load.concurrency}, ideal {ideal:.2f} s, {ROUNDS} rounds")
    print(f"bare loop  {bare:.2f} s  {bare / ideal:.3f} × ideal   {[round(one, 2) for one in measured.bare]}")
    print(
        f"engine     {ours:.2f} s  {ours / ideal:.3f} × ideal (bar {load.bar or 'none'})   "
        f"{[round(one, 2) for one in measured.engine]}"
    )
    print(
        f"engine ÷ bare {ours / bare:.3f}; {measured.statements / load.items:.1f} statements per item; "
        f"{_memory():.0f} MB, {measured.grown:.0f} MB more by a run"
    )
