"""The slice: what becomes of a job's items, over real HTTP and real PostgreSQL."""

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from batches import engine
from batches.models import BatchJob
from conversations.models import Conversation, PromptTemplate
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.background import ignore, in_background, until_locks_are_waited_for
from tests.factories import ConversationFactory
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., BatchJob]
Run = Callable[..., list[UUID]]


def test_every_item_is_generated_once_and_counted(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(7, concurrency=3)
    run(job)
    assert (job.status, job.successful_items, job.failed_items, job.completed_items) == ("completed", 7, 0, 7)
    assert Conversation.objects.filter(status="generated").count() == 7
    assert len(claude.requests) == 7
    assert job.actual_cost_usd == sum(GenerationLog.objects.values_list("cost_usd", flat=True)) > 0
    assert set(job.items.values_list("status", "progress", "lease_expires_at")) == {("completed", 100, None)}
    assert (job.runner, job.runner_lease_expires_at) == ("", None)


def test_no_more_calls_are_in_flight_than_asked_for(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.behaviour.latency = 0.1
    job = batch(8, concurrency=2)
    begun = time.monotonic()
    run(job)
    assert time.monotonic() - begun > 0.3  # four waves of 0.1 s: more at a time would have been faster
    assert job.successful_items == 8


def test_a_reply_that_waits_to_be_saved_leaves_its_place_to_the_next_call_but_not_to_all(
    claude: SimulatedClaude, batch: Make
) -> None:
    job = batch(6, concurrency=1)
    with transaction.atomic():
        PromptTemplate.objects.select_for_update().get()  # each saving counts the use of its template
        runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
        until_locks_are_waited_for()
        eventually(lambda: len(claude.arrivals) == 2)
        seen = BatchJob.objects.get(pk=job.pk).runner_lease_expires_at
        eventually(lambda: BatchJob.objects.get(pk=job.pk).runner_lease_expires_at > seen)  # it has looked again
        assert len(claude.arrivals) == 2
    runner.join(timeout=20)
    job.refresh_from_db()
    assert (job.status, job.successful_items, len(claude.arrivals)) == ("completed", 6, 6)


def test_a_failure_is_kept_with_its_reason_and_the_others_go_on(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.behaviour.script.extend(["refusal"])
    job = batch(4, concurrency=1)
    run(job)
    assert (job.status, job.successful_items, job.failed_items) == ("completed", 3, 1)
    failed = job.items.get(status="failed")
    assert (failed.position, failed.error_type) == (1, "reply_refused")
    assert "declined" in failed.error_message
    assert failed.conversation.status == "failed"
    assert failed.conversation.turns.count() == 0


def test_a_batchs_own_attempts_and_timeout_hold(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.when("", "hang", times=None)
    job = batch(1, max_attempts=2, request_timeout=1)
    begun = time.monotonic()
    run(job)
    item = job.items.get()
    assert (item.status, item.error_type, len(claude.arrivals)) == ("failed", "timed_out", 2)
    assert 2 <= time.monotonic() - begun < 100, "each was given its second, and not what the settings say"


@pytest.mark.parametrize(("strategy", "waits"), [("linear", [1, 2, 3, 4]), ("fixed", [1, 1, 1, 1])])
def test_a_batchs_own_strategy_holds(
    claude: SimulatedClaude, batch: Make, run: Run, settings: Any, strategy: str, waits: list[int]
) -> None:
    settings.GENERATION_FIRST_WAIT = 0.2
    claude.when("", "529", times=None)
    run(batch(1, max_attempts=5, retry_strategy=strategy))
    moments = [arrival.moment for arrival in claude.arrivals]
    between = [later - earlier for earlier, later in pairwise(moments)]
    assert all(seconds >= 0.2 * wait for seconds, wait in zip(between, waits, strict=True)), between
    assert between[-1] < 0.2 * 8, "as the exponential one would have waited"


def test_a_slice_hands_over_when_its_time_is_up(claude: SimulatedClaude, batch: Make, run: Run, settings: Any) -> None:
    settings.BATCH_SLICE_SECONDS = 0.2
    claude.behaviour.latency = 0.15
    job = batch(6, concurrency=1)
    handed = run(job)
    assert handed and set(handed) == {job.pk}
    assert (job.status, len(claude.requests)) == ("completed", 6)


def test_a_changed_concurrency_is_seen_while_running(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.3
    job = batch(9, concurrency=1)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: len(claude.requests) == 1)
    BatchJob.objects.filter(pk=job.pk).update(concurrent_processing=8)
    eventually(lambda: len(claude.requests) == 9)
    runner.join(timeout=10)


def test_a_template_with_a_syntax_error_fails_its_item_in_words(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(1, structure="Talk with {{persona.")
    run(job)
    item = job.items.get()
    assert (job.status, item.error_type, claude.requests) == ("failed", "prompt_unresolved", [])
    assert "line 1, column 11" in item.error_message


def test_the_time_remaining_is_kept_while_it_runs(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.4
    job = batch(6, concurrency=1)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)

    def remaining() -> Any:
        return BatchJob.objects.values_list("estimated_time_remaining", flat=True).get(pk=job.pk)

    eventually(lambda: bool(remaining()) and remaining() > timedelta(0))
    runner.join(timeout=10)
    assert remaining() == timedelta(0)


def test_a_draft_that_is_in_no_batch_is_left_alone(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(2)
    other = ConversationFactory(workspace=job.workspace)
    run(job)
    other.refresh_from_db()
    assert other.status == "draft"


def test_a_pause_does_not_count_in_the_time_remaining(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.3
    job = batch(6, concurrency=1)
    BatchJob.objects.update(started_at=timezone.now() - timedelta(hours=10))
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: BatchJob.objects.get(pk=job.pk).estimated_time_remaining)
    assert BatchJob.objects.get(pk=job.pk).estimated_time_remaining < timedelta(minutes=5)
    runner.join(timeout=10)
