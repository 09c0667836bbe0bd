"""Economy batches, and the worker's moves one at a time."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from batches import engine
from batches.choices import HOLDING, JobStatus
from batches.economy import collecting
from batches.models import BatchItem, BatchJob, MessageBatch
from conversations.models import Conversation
from generation.simulated.server import SimulatedClaude

Make = Callable[..., BatchJob]
DONE = 3600.0  # seconds after which a message batch has ended here


@pytest.fixture(autouse=True)
def _patient(claude: SimulatedClaude, settings: Any) -> None:
    """Message batches end when the clock is told to go on, and no sooner."""
    claude.behaviour.batch_seconds = DONE / 2
    settings.ECONOMY_POLL_SECONDS = 60.0


@pytest.fixture
def economy(batch: Make) -> Make:
    """Make an economy batch of `size` drafts, begun and left to the test to run."""

    def make(size: int = 3, **order: Any) -> BatchJob:
        return batch(size, delivery="economy", **order)

    return make


@pytest.fixture
def submit() -> Callable[..., list[UUID]]:
    """Run one slice of the job; the answer is the hand-overs that it made."""

    def once(job: BatchJob, **options: Any) -> list[UUID]:
        handed: list[UUID] = []
        engine.run_slice(job.pk, on_unfinished=handed.append, **options)
        job.refresh_from_db()
        return handed

    return once


@pytest.fixture
def collect() -> Callable[..., list[UUID]]:
    """Look at all message batches of the job, due or not; the answer is the hand-overs that it made."""

    def once(job: BatchJob, **options: Any) -> list[UUID]:
        handed: list[UUID] = []
        held = MessageBatch.objects.filter(job=job, status__in=HOLDING).order_by("created_at")
        held.update(next_look_at=timezone.now())
        for pk in list(held.values_list("pk", flat=True)):
            collecting.collect(pk, on_unfinished=handed.append, **options)
        job.refresh_from_db()
        return handed

    return once


@pytest.fixture
def finish(claude: SimulatedClaude, submit: Callable[..., Any], collect: Callable[..., Any]) -> Callable[..., None]:
    """Submit and collect until the job is at rest."""

    def until_rest(job: BatchJob) -> None:
        for _round in range(12):
            submit(job)
            claude.clock.advance(DONE)
            collect(job)
            if job.status != JobStatus.PROCESSING:
                return
        raise AssertionError(f"The batch is still {job.status}: {job.status_reason}")

    return until_rest


def statuses(job: BatchJob) -> list[str]:
    """Of its items, in their order."""
    return list(BatchItem.objects.filter(job=job).order_by("position").values_list("status", flat=True))


def conversations(job: BatchJob) -> list[str]:
    """The statuses of its conversations, in the items' order."""
    rows = Conversation.objects.filter(batch_items__job=job).order_by("batch_items__position")
    return list(rows.values_list("status", flat=True))


def remote(claude: SimulatedClaude, endpoint: str = "batches.create") -> int:
    """How many requests reached an endpoint."""
    return len(claude.arrivals.of(endpoint))
