"""Who may work on an item, and whose end of it counts."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from batches import engine, leases
from batches.models import BatchItem, BatchJob
from conversations.models import Conversation
from generation.drafts import Drafts
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.background import ignore, in_background
from tests.factories import TurnFactory
from tests.statuses import put

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., BatchJob]
Run = Callable[..., list[UUID]]


def test_an_item_given_back_before_anything_was_sent_is_not_counted_as_begun(
    claude: SimulatedClaude, batch: Make
) -> None:
    job = batch(1)
    assert leases.take_job(job.pk, "first")
    [work] = leases.claim(job, "first", 1, Drafts()).works
    leases.give_back(work, requests=0, spent_usd=Decimal(0))
    item = job.items.get()
    assert (item.status, item.attempts, item.conversation.status) == ("queued", 0, "draft")


def test_slices_that_end_in_the_middle_of_attempts_do_not_go_on_for_ever(
    claude: SimulatedClaude, batch: Make, run: Run, settings: Any
) -> None:
    settings.BATCH_SLICE_SECONDS = 0.05
    settings.GENERATION_FIRST_WAIT = 60.0
    claude.behaviour.latency = 0.1
    claude.behaviour.script.extend(["cut-off"] * 50)
    job = batch(1)
    run(job)
    item = job.items.get()
    assert (job.status, item.status, item.error_type) == ("failed", "failed", "abandoned")
    assert len(claude.requests) == settings.BATCH_ITEM_CLAIMS
    assert item.cost_usd == job.actual_cost_usd == sum(GenerationLog.objects.values_list("cost_usd", flat=True)) > 0


@pytest.mark.parametrize(("runner", "status"), [("another", "processing"), ("mine", "paused")])
def test_only_the_runner_of_a_processing_job_can_claim(batch: Make, runner: str, status: str) -> None:
    job = batch(2)
    BatchJob.objects.update(runner=runner, status=status)
    assert leases.claim(job, "mine", 2, Drafts()).works == []
    assert set(job.items.values_list("status", flat=True)) == {"queued"}


def test_an_end_that_cannot_be_written_does_not_end_the_others(
    claude: SimulatedClaude, batch: Make, run: Run, settings: Any
) -> None:
    """A broken row, put in the way of one conversation, makes the database refuse its turns."""
    settings.BATCH_LEASE_SECONDS = 5
    job = batch(3, concurrency=1)
    first = job.items.get(position=1).conversation
    TurnFactory(conversation=first, position=1)
    run(job)
    item = job.items.get(position=1)
    assert (job.status, job.successful_items, job.failed_items) == ("completed", 2, 1)
    assert (item.error_type, item.conversation.failure_type) == ("program_failed", "program_failed")
    assert GenerationLog.objects.filter(conversation=first, status="failed", cost_usd__gt=0).exists()


def test_a_second_runner_of_a_job_does_nothing(claude: SimulatedClaude, batch: Make) -> None:
    job = batch(2)
    assert leases.take_job(job.pk, "somebody")
    engine.run_slice(job.pk, on_unfinished=ignore)
    assert claude.requests == []


def test_two_runners_at_once_generate_nothing_twice(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.05
    job = batch(12, concurrency=4)
    runners = [in_background(engine.run_slice, job.pk, on_unfinished=ignore) for _ in range(3)]
    for runner in runners:
        runner.join(timeout=20)
    job.refresh_from_db()
    assert (job.status, job.successful_items, len(claude.requests)) == ("completed", 12, 12)


def test_a_late_worker_changes_nothing(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(1)
    assert leases.take_job(job.pk, "asleep")
    [late] = leases.claim(job, "asleep", 1, Drafts()).works
    BatchItem.objects.update(lease_expires_at=timezone.now())
    BatchJob.objects.update(runner_lease_expires_at=timezone.now() - timedelta(seconds=1))
    run(job)
    made = Conversation.objects.get()
    with transaction.atomic():
        assert late.holds() is False
    job.refresh_from_db()
    assert (job.successful_items, job.completed_items, made.status) == (1, 1, "generated")


def test_an_item_begun_too_often_is_failed(claude: SimulatedClaude, batch: Make, run: Run, settings: Any) -> None:
    job = batch(2, concurrency=1)
    settings.BATCH_ITEM_CLAIMS = 5
    job.items.filter(position=1).update(attempts=5)
    run(job)
    poison = job.items.get(position=1)
    assert (poison.status, poison.error_type, poison.conversation.status) == ("failed", "abandoned", "failed")
    assert (job.status, job.successful_items, job.failed_items) == ("completed", 1, 1)


def test_a_conversation_that_is_no_draft_any_more_is_left_alone(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(2)
    done = job.items.get(position=1).conversation
    put(done, "approved", title="Made by hand")
    run(job)
    item = job.items.get(position=1)
    assert (item.status, item.error_type) == ("failed", "not_claimable")
    assert Conversation.objects.get(pk=done.pk).title == "Made by hand"
    assert len(claude.requests) == 1


def test_a_conversation_claimed_elsewhere_is_not_paid_for_twice(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(1)
    in_an_hour = timezone.now() + timedelta(hours=1)
    Conversation.objects.update(status="generating", claim=uuid4(), claim_expires_at=in_an_hour)
    run(job)
    assert (job.status, job.failed_items, claude.requests) == ("failed", 1, [])
