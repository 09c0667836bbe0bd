"""A message batch whose creation was never confirmed: it is found again, or certainly not there, or waited for."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from batches import control, engine
from batches.models import BatchItem, BatchJob, MessageBatch
from generation.claude import Claude
from generation.endpoint import endpoint
from generation.simulated.server import SimulatedClaude
from tests.background import ignore, in_background
from tests.batches.economy.conftest import DONE, Make, conversations, remote, statuses
from tests.generation.simulated.sdk import message
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)
Step = Callable[..., Any]


@pytest.fixture
def unconfirmed(economy: Make, submit: Step, claude: SimulatedClaude) -> Callable[..., BatchJob]:
    """A batch whose message batch was asked for, without an answer."""

    def ask(fault: str, size: int = 2, **order: Any) -> BatchJob:
        claude.when("", fault, endpoint="batches.create")
        job = economy(size, **order)
        assert submit(job) == []
        message_batch = MessageBatch.objects.get()
        assert (message_batch.status, message_batch.remote_id) == ("submitting", "")
        assert statuses(job) == ["processing"] * size
        return job

    return ask


def stranger(number: int) -> str:
    """Somebody else with the same key creates a message batch; its id."""

    async def create() -> str:
        async with Claude(endpoint(), timeout=10) as claude:
            remote = await claude.submit([(f"theirs-{n}", message("Hello?")) for n in range(number)])
            return remote.id

    return asyncio.run(create())


def long_ago() -> None:
    """No request that was begun then can still be on its way."""
    MessageBatch.objects.filter(status="submitting").update(created_at=timezone.now() - timedelta(hours=1))


def test_one_that_was_created_is_found_by_its_results(
    unconfirmed: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = unconfirmed("unanswered:0")
    assert "is not known yet" in job.status_reason and "nothing is sent twice" in job.status_reason
    claude.clock.advance(DONE)
    collect(job)
    assert (job.status, job.successful_items, remote(claude)) == ("completed", 2, 1)
    message_batch = MessageBatch.objects.get()
    assert message_batch.status == "read" and message_batch.remote_id and message_batch.submitted_at


def test_while_it_may_still_be_running_nothing_is_sent(
    unconfirmed: Step, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = unconfirmed("unanswered:0")
    long_ago_for_us = MessageBatch.objects.get().created_at
    collect(job)  # one with as many requests is in progress
    submit(job)
    assert (MessageBatch.objects.get().status, remote(claude)) == ("submitting", 1)
    assert MessageBatch.objects.get().created_at == long_ago_for_us


@pytest.mark.parametrize("fault", ["500", "504", "reset", "short-body", "not-json", "408", "409"])
def test_one_that_was_never_created_is_sent_again_when_that_is_certain(
    unconfirmed: Step, collect: Step, finish: Step, claude: SimulatedClaude, fault: str
) -> None:
    job = unconfirmed(fault)
    collect(job)
    assert statuses(job) == ["processing"] * 2  # the request may still be on its way
    long_ago()
    assert collect(job) == [job.pk]
    assert (statuses(job), conversations(job)) == (["queued"] * 2, ["draft"] * 2)
    assert MessageBatch.objects.get().status == "not_created"
    assert set(BatchItem.objects.values_list("attempts", "submissions")) == {(0, 0)}
    finish(job)
    assert (job.status, remote(claude)) == ("completed", 2)


def test_another_one_of_the_same_size_is_not_taken_for_it(
    unconfirmed: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = unconfirmed("500")
    stranger(2)
    MessageBatch.objects.update(created_at=timezone.now() - timedelta(seconds=100))
    collect(job)
    assert statuses(job) == ["processing"] * 2  # that one still runs: whose it is cannot be told yet
    claude.clock.advance(DONE)
    long_ago()
    MessageBatch.objects.update(created_at=timezone.now() - timedelta(seconds=215))
    collect(job)
    assert statuses(job) == ["queued"] * 2


def test_of_two_that_fit_the_right_one_is_found(unconfirmed: Step, collect: Step, claude: SimulatedClaude) -> None:
    job = unconfirmed("unanswered:0")
    theirs = stranger(2)
    claude.clock.advance(DONE)
    collect(job)
    assert job.status == "completed"
    assert MessageBatch.objects.get().remote_id not in ("", theirs)


def test_two_unconfirmed_ones_find_each_its_own(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    claude.when("", "unanswered:0", "unanswered:0", endpoint="batches.create")
    jobs = [economy(1), economy(1)]
    for job in jobs:
        submit(job)
    claude.clock.advance(DONE)
    for job in jobs:
        collect(job)
    assert [job.status for job in jobs] == ["completed", "completed"]
    assert MessageBatch.objects.values("remote_id").distinct().count() == 2


def test_one_of_another_size_or_known_already_is_passed_over(
    unconfirmed: Step, economy: Make, submit: Step, collect: Step
) -> None:
    job = unconfirmed("500")
    stranger(3)
    submit(economy(2))  # known to another row of ours
    MessageBatch.objects.filter(status="submitting").update(created_at=timezone.now() - timedelta(seconds=215))
    collect(job)
    assert statuses(job) == ["queued"] * 2


def test_of_a_cancelled_batch_it_is_found_and_what_was_written_is_kept(
    unconfirmed: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = unconfirmed("unanswered:0")
    control.cancel(job.pk)
    claude.clock.advance(DONE)
    collect(job)
    assert (job.status, statuses(job)) == ("cancelled", ["completed", "completed"])


def test_of_a_cancelled_batch_one_that_was_never_created_gives_its_items_back(unconfirmed: Step, collect: Step) -> None:
    job = unconfirmed("500")
    control.cancel(job.pk)
    long_ago()
    collect(job)
    assert (statuses(job), conversations(job)) == (["cancelled"] * 2, ["draft"] * 2)


def test_a_sender_that_woke_up_too_late_takes_its_message_batch_back(
    economy: Make, collect: Step, claude: SimulatedClaude
) -> None:
    """Its items were given back while it stood still, and are somebody else's now."""
    job = economy(1)
    claude.when("", "slow:4", endpoint="batches.create")
    sender = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: MessageBatch.objects.filter(status="submitting").exists())
    long_ago()
    MessageBatch.objects.update(holder="", lease_expires_at=None)
    collect(job)
    assert MessageBatch.objects.get().status == "not_created"
    sender.join(timeout=10)
    assert remote(claude, "batches.cancel") == 1


@pytest.mark.parametrize("seconds", [-600, 600])
def test_one_is_found_although_our_clock_and_anthropics_differ(
    unconfirmed: Step, collect: Step, claude: SimulatedClaude, seconds: float
) -> None:
    job = unconfirmed("unanswered:0")
    created_at = MessageBatch.objects.get().created_at
    MessageBatch.objects.update(created_at=created_at + timedelta(seconds=seconds))
    claude.clock.advance(DONE)
    collect(job)
    assert (job.status, remote(claude)) == ("completed", 1)


def test_a_look_that_finds_none_gives_way_to_an_answer_that_comes_meanwhile(
    economy: Make, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(1)
    claude.when("", "slow:0.5", endpoint="batches.create")
    claude.when("", "slow:1.5", endpoint="batches.list")
    sender = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: MessageBatch.objects.filter(status="submitting").exists())
    long_ago()
    MessageBatch.objects.update(holder="", lease_expires_at=None)
    collect(job)
    sender.join(timeout=10)
    assert (MessageBatch.objects.get().status, statuses(job)) == ("in_progress", ["processing"])
