"""Pause, resume, cancel, stop and retry of a batch whose requests are at Anthropic."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import chain, repeat
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from batches import control
from batches.economy import collecting, waking
from batches.models import BatchItem, BatchJob, MessageBatch
from conversations.models import Turn
from convgen.tenancy import EVERY, workspace_scope
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.background import in_background
from tests.batches.economy.conftest import DONE, Make, conversations, remote, statuses
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)
Step = Callable[..., Any]


def collect_in_scope(collect: Step, job: BatchJob, *, free: bool = False) -> None:
    """In a thread, which has no scope of its own; `free`: past the lease of somebody who holds it."""
    with workspace_scope(EVERY):
        if free:
            MessageBatch.objects.update(holder="", lease_expires_at=None)
        collect(BatchJob.objects.get(pk=job.pk))


def test_cancelling_has_anthropic_cancel_and_keeps_what_was_written(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    claude.behaviour.batch_seconds = 1000
    job = economy(10)
    submit(job)
    claude.clock.advance(450)  # not quite half of them are written
    assert control.cancel(job.pk)
    collect(job)
    assert (MessageBatch.objects.get().status, remote(claude, "batches.cancel")) == ("canceling", 1)
    collect(job)
    assert remote(claude, "batches.cancel") == 1  # once is enough
    claude.clock.advance(DONE)
    collect(job)
    assert (job.status, job.successful_items, statuses(job).count("cancelled")) == ("cancelled", 4, 6)
    assert conversations(job).count("draft") == 6
    assert job.actual_cost_usd > 0
    assert not job.at_work


def test_a_cancelled_batch_has_its_message_batches_looked_at_at_once(economy: Make, submit: Step) -> None:
    job = economy(1)
    submit(job)
    assert not waking.due().exists()
    control.cancel(job.pk)
    assert waking.due().count() == 1


def test_a_cancel_while_a_message_batch_is_being_looked_at_reaches_anthropic_all_the_same(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(2)
    submit(job)
    claude.when("", "slow:0.5", endpoint="batches.retrieve")
    looking = in_background(collect_in_scope, collect, job)
    eventually(lambda: remote(claude, "batches.retrieve") == 1)
    assert control.cancel(job.pk)
    looking.join(timeout=10)
    assert (MessageBatch.objects.get().status, remote(claude, "batches.cancel")) == ("canceling", 1)


def test_cancelling_what_has_ended_meanwhile_is_no_trouble(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(1)
    submit(job)
    control.cancel(job.pk)
    claude.when("", "400", endpoint="batches.cancel")
    collect(job)
    assert MessageBatch.objects.get().last_error == ""
    claude.clock.advance(DONE)
    collect(job)
    assert (job.status, statuses(job)) == ("cancelled", ["completed"])


def test_a_paused_batch_collects_what_is_at_anthropic_and_sends_nothing(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude, settings: Any
) -> None:
    settings.ECONOMY_CHUNK_REQUESTS = 2
    claude.behaviour.batch_script.append("expired")
    job = economy(2)
    submit(job)
    control.pause(job.pk, "Paused by somebody.")
    claude.clock.advance(DONE)
    assert collect(job) == []
    assert (job.status, statuses(job), job.status_reason) == ("paused", ["queued", "completed"], "Paused by somebody.")
    submit(job)
    assert remote(claude) == 1


def test_a_paused_batch_whose_last_result_came_is_complete(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(1)
    submit(job)
    control.pause(job.pk, "Paused by somebody.")
    claude.clock.advance(DONE)
    collect(job)
    assert (job.status, job.status_reason) == ("completed", "")


def test_resuming_sends_what_is_left(
    economy: Make, submit: Step, collect: Step, finish: Step, claude: SimulatedClaude
) -> None:
    claude.behaviour.batch_script.append("expired")
    job = economy(2)
    submit(job)
    control.pause(job.pk)
    claude.clock.advance(DONE)
    collect(job)
    assert control.resume(job.pk)
    finish(job)
    assert (job.status, job.successful_items, remote(claude)) == ("completed", 2, 2)


def test_failed_items_of_a_paused_batch_are_tried_once_more(
    economy: Make, submit: Step, collect: Step, finish: Step, claude: SimulatedClaude
) -> None:
    claude.behaviour.batch_script.extend(["400", "canceled"])
    job = economy(2)
    submit(job)
    claude.clock.advance(DONE)
    collect(job)
    assert (job.status, statuses(job)) == ("paused", ["failed", "queued"])
    assert control.retry_failed(job.pk) == 1
    control.resume(job.pk)
    finish(job)
    assert (job.status, job.successful_items, job.failed_items) == ("completed", 2, 0)


def test_stop_at_the_first_failure_ends_the_batch_and_cancels_what_is_at_anthropic(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude, settings: Any
) -> None:
    settings.ECONOMY_CHUNK_REQUESTS = 2
    claude.behaviour.batch_script.append("refusal")
    job = economy(4, error_handling="stop")
    submit(job)
    first, second = MessageBatch.objects.order_by("created_at")
    claude.clock.advance(DONE / 2 + 1)
    MessageBatch.objects.filter(pk=second.pk).update(next_look_at=timezone.now() + timedelta(hours=1))
    MessageBatch.objects.filter(pk=first.pk).update(next_look_at=timezone.now())
    collecting.collect(first.pk, on_unfinished=lambda _job: None)
    job.refresh_from_db()
    assert (job.status, job.failed_items, job.successful_items) == ("failed", 1, 1)
    assert "declined" in job.status_reason
    assert waking.due().filter(pk=second.pk).exists()
    collect(job)
    assert statuses(job) == ["failed", "completed", "completed", "completed"]  # they were written already


def test_a_job_that_waits_for_claude_is_not_deserted(economy: Make, submit: Step, claude: SimulatedClaude) -> None:
    job = economy(2)
    assert control.deserted(job.pk) is False  # somebody is about to begin it
    BatchJob.objects.update(runner_lease_expires_at=None)
    assert control.deserted(job.pk)
    submit(job)
    assert not control.deserted(job.pk)
    MessageBatch.objects.update(status="ended")
    assert not control.deserted(job.pk)
    MessageBatch.objects.update(status="read")  # a collector that died before it ended the job
    assert control.deserted(job.pk)


def test_what_is_at_claude_stays_there_however_long_it_takes(
    economy: Make, submit: Step, claude: SimulatedClaude
) -> None:
    job = economy(2)
    submit(job)
    BatchItem.objects.update(started_at=timezone.now() - timedelta(days=1))
    control.reap()
    assert (statuses(job), conversations(job)) == (["processing"] * 2, ["generating"] * 2)


def test_the_reaper_asks_workers_once_for_each_message_batch_that_is_due(economy: Make, submit: Step) -> None:
    submit(economy(1))
    control.reap()
    assert not OrmQ.objects.exists()
    MessageBatch.objects.update(next_look_at=timezone.now())
    control.reap()
    control.reap()
    [task] = OrmQ.objects.all()
    assert task.func() == "batches.tasks.collect"


def test_of_two_collectors_at_once_one_collects(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(6)
    submit(job)
    claude.clock.advance(DONE)
    claude.when("", "slow:0.3", endpoint="batches.retrieve")
    both = [in_background(collect_in_scope, collect, job) for _collector in range(2)]
    for one in both:
        one.join(timeout=20)
    assert remote(claude, "batches.results") == 1
    assert BatchJob.objects.get(pk=job.pk).successful_items == 6


def test_a_collector_that_stood_still_and_one_that_took_over_save_everything_once(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    claude.behaviour.batch_script.extend(["malformed", "refusal"])
    job = economy(30, max_attempts=1)
    submit(job)
    claude.clock.advance(DONE)
    both = [in_background(collect_in_scope, collect, job, free=True) for _collector in range(2)]
    for one in both:
        one.join(timeout=30)
    job.refresh_from_db()
    assert (job.successful_items, job.failed_items, GenerationLog.objects.count()) == (28, 2, 30)
    assert Turn.objects.values("conversation", "position").distinct().count() == Turn.objects.count()


def test_a_worker_that_is_to_end_hands_the_rest_of_the_results_over(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(5)
    submit(job)
    claude.clock.advance(DONE)
    told = chain([False, False], repeat(True))  # asked before each result
    collect(job, stopping=partial(next, told))
    assert statuses(job).count("completed") == 2
    assert waking.due().count() == 1  # at once, for somebody else
    collect(job)
    assert (job.status, GenerationLog.objects.count()) == ("completed", 5)


def test_stop_ends_the_batch_at_the_first_prompt_that_cannot_be_completed(
    economy: Make, submit: Step, claude: SimulatedClaude
) -> None:
    job = economy(6, structure="Talk about {{nothing_known}}.", error_handling="stop")
    submit(job)
    assert (job.status, job.failed_items, remote(claude)) == ("failed", 1, 0)
    assert conversations(job) == ["failed", *["draft"] * 5]
