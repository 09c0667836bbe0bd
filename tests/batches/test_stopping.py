"""What ends or holds a slice: pause, cancel, a stop at failure, a Claude that is not there, a worker that ends."""

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from batches import control, engine
from batches.models import BatchItem, BatchJob
from conversations.models import Conversation
from generation.configuration import Overrides
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.background import ignore, in_background
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., BatchJob]
Run = Callable[..., list[UUID]]


def test_stop_also_ends_at_an_item_that_could_not_be_begun(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(4, concurrency=1, error_handling="stop")
    first = job.items.get(position=1).conversation
    Conversation.objects.filter(pk=first.pk).update(status="archived")
    run(job)
    assert (job.status, job.failed_items, claude.requests) == ("failed", 1, [])


def test_a_slice_that_cannot_run_at_all_pauses_the_job_with_the_reason(
    claude: SimulatedClaude, batch: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://proxy")
    job = batch(2)
    with pytest.raises(ValueError, match="proxy"):
        engine.run_slice(job.pk, on_unfinished=ignore)
    job.refresh_from_db()
    assert (job.status, job.runner) == ("paused", "")
    assert job.status_reason.startswith("The batch could not be run:")


def test_stop_ends_the_job_at_the_first_failure(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.behaviour.script.extend(["refusal"])
    job = batch(5, concurrency=1, error_handling="stop")
    run(job)
    assert (job.status, job.failed_items) == ("failed", 1)
    assert "declined" in job.status_reason
    assert job.items.filter(status="cancelled").count() == 4
    assert len(claude.requests) == 1
    assert Conversation.objects.filter(status="draft").count() == 4


def test_a_refused_key_pauses_the_job_instead_of_failing_everything(
    claude: SimulatedClaude, batch: Make, run: Run
) -> None:
    claude.behaviour.api_key = "another"
    job = batch(20, concurrency=2)
    run(job)
    assert job.status == "paused"
    assert "ANTHROPIC_API_KEY" in job.status_reason
    assert 1 <= job.failed_items <= 2
    assert set(job.items.filter(status="failed").values_list("error_type", flat=True)) == {"key_refused"}


def test_an_outage_pauses_the_job_and_it_goes_on_afterwards(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.behaviour.script.extend(["529"] * 9)  # three conversations, three attempts each
    job = batch(6, concurrency=1)
    run(job)
    assert (job.status, job.failed_items) == ("paused", 3)
    assert control.retry_failed(job.pk) == 3
    assert control.resume(job.pk)
    run(job)
    assert (job.status, job.successful_items, job.failed_items) == ("completed", 6, 0)


def test_failures_that_only_happen_now_and_then_do_not_pause(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.behaviour.script.extend((["529"] * 3 + [""]) * 4)
    job = batch(8, concurrency=1)
    run(job)
    assert (job.status, job.successful_items, job.failed_items) == ("completed", 4, 4)


def test_pausing_lets_calls_in_flight_finish_and_begins_no_more(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.6
    job = batch(9, concurrency=3)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: len(claude.requests) == 3)
    assert control.pause(job.pk)
    runner.join(timeout=10)
    job.refresh_from_db()
    assert (job.status, job.successful_items, len(claude.requests)) == ("paused", 3, 3)
    assert job.items.filter(status="queued").count() == 6


@pytest.mark.parametrize("act", [control.pause, control.cancel])
def test_a_second_after_a_pause_or_a_cancel_no_call_begins(
    claude: SimulatedClaude, batch: Make, act: Callable[[UUID], bool]
) -> None:
    claude.behaviour.latency, claude.behaviour.jitter = 0.05, 0.5
    job = batch(60, concurrency=3)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: len(claude.arrivals) > 6)
    assert act(job.pk)
    told = time.monotonic()
    runner.join(timeout=20)
    last = max(arrival.moment for arrival in claude.arrivals)
    assert len(claude.arrivals) < 60, "it was told too late to show anything"
    assert last < told + 1.0
    job.refresh_from_db()
    assert job.successful_items == len(claude.arrivals), "what was in flight has been kept"


def test_a_paused_batch_pays_for_nothing_twice_when_it_goes_on(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.behaviour.latency, claude.behaviour.jitter = 0.05, 0.5
    job = batch(30, concurrency=5)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: len(claude.arrivals) > 6)
    control.pause(job.pk)
    runner.join(timeout=20)
    job.refresh_from_db()
    assert 6 < job.completed_items < 30
    assert job.items.filter(status="processing").count() == 0, "what was claimed ahead is given back"
    assert set(job.items.filter(status="queued").values_list("attempts", flat=True)) == {0}
    control.resume(job.pk)
    run(job)
    assert (job.status, job.successful_items, len(claude.arrivals)) == ("completed", 30, 30)


def test_resuming_goes_on_with_what_is_left(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(4)
    control.pause(job.pk)
    control.resume(job.pk)
    run(job)
    assert (job.status, len(claude.requests)) == ("completed", 4)


def test_cancelling_keeps_what_is_in_flight_and_leaves_the_rest_as_drafts(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.6
    job = batch(9, concurrency=2)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: len(claude.requests) == 2)
    assert control.cancel(job.pk)
    runner.join(timeout=10)
    job.refresh_from_db()
    assert (job.status, job.successful_items, len(claude.requests)) == ("cancelled", 2, 2)
    assert Conversation.objects.filter(status="draft").count() == 7


Waiting = Callable[[str], tuple[BatchJob, threading.Thread]]


@pytest.fixture
def waiting(claude: SimulatedClaude, batch: Make, settings: Any) -> Waiting:
    """Begin a job of one item, whose first attempt fails and whose second one is a minute away."""
    settings.GENERATION_FIRST_WAIT = 60.0

    def begin(fault: str) -> tuple[BatchJob, threading.Thread]:
        claude.behaviour.script.extend([fault])
        job = batch(1)
        runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
        eventually(lambda: GenerationLog.objects.filter(status="failed").exists())
        return job, runner

    return begin


def test_a_wait_for_another_attempt_does_not_hold_up_a_pause(waiting: Waiting) -> None:
    job, runner = waiting("529")
    control.pause(job.pk)
    runner.join(timeout=5)
    assert not runner.is_alive()
    item = job.items.get()
    assert (item.status, item.attempts) == ("queued", 1)  # given back; one request was sent
    assert (item.conversation.status, item.conversation.claim) == ("draft", None)


def test_what_only_waits_is_cancelled_with_its_job(waiting: Waiting) -> None:
    job, runner = waiting("529")
    control.cancel(job.pk)
    runner.join(timeout=5)
    item = job.items.get()
    assert (item.status, item.conversation.status) == ("cancelled", "draft")


def test_a_conversation_given_back_is_taken_over_and_what_it_cost_is_kept(waiting: Waiting, run: Run) -> None:
    job, runner = waiting("cut-off")
    control.pause(job.pk)
    runner.join(timeout=5)
    control.resume(job.pk)
    run(job)
    assert (job.status, job.successful_items) == ("completed", 1)
    paid = list(GenerationLog.objects.values_list("cost_usd", flat=True))
    assert len(paid) == 2
    assert job.actual_cost_usd == Conversation.objects.get().cost_usd == sum(paid)


def test_a_stopping_worker_drains_and_hands_over(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.4
    job = batch(6, concurrency=2)
    stopping = threading.Event()
    handed: list[UUID] = []
    runner = in_background(engine.run_slice, job.pk, on_unfinished=handed.append, stopping=stopping.is_set)
    eventually(lambda: len(claude.requests) == 2)
    stopping.set()
    runner.join(timeout=10)
    job.refresh_from_db()
    assert (job.status, job.successful_items, handed) == ("processing", 2, [job.pk])


def test_another_worker_goes_on_while_the_stopping_ones_calls_are_in_flight(
    claude: SimulatedClaude, batch: Make
) -> None:
    claude.when("", "slow:1.5", "slow:1.5")
    job = batch(4, concurrency=2)
    stopping, handed = threading.Event(), list[UUID]()
    first = in_background(engine.run_slice, job.pk, on_unfinished=handed.append, stopping=stopping.is_set)
    eventually(lambda: len(claude.requests) == 2)
    stopping.set()
    eventually(lambda: handed == [job.pk])
    second = in_background(engine.run_slice, job.pk, on_unfinished=handed.append)
    eventually(lambda: len(claude.requests) == 4)
    assert first.is_alive() and not BatchItem.objects.filter(status="completed", position__lte=2).exists()
    for runner in (first, second):
        runner.join(timeout=10)
    job.refresh_from_db()
    assert (job.status, job.successful_items, len(claude.requests)) == ("completed", 4, 4)


def test_a_paused_batch_is_not_given_up_before_its_calls_have_ended(claude: SimulatedClaude, batch: Make) -> None:
    claude.when("", "slow:1")
    job = batch(2, concurrency=1)
    stopping, handed = threading.Event(), list[UUID]()
    runner = in_background(engine.run_slice, job.pk, on_unfinished=handed.append, stopping=stopping.is_set)
    eventually(lambda: claude.requests)
    control.pause(job.pk)
    stopping.set()
    assert BatchJob.objects.get(pk=job.pk).has_runner
    runner.join(timeout=10)
    job.refresh_from_db()
    assert (job.status, job.successful_items, job.has_runner, handed) == ("paused", 1, False, [])


def test_a_batch_that_was_handed_over_and_paused_ends_with_its_last_call_in_flight(
    claude: SimulatedClaude, batch: Make
) -> None:
    claude.when("", "slow:1")
    job = batch(1)
    stopping, handed = threading.Event(), list[UUID]()
    runner = in_background(engine.run_slice, job.pk, on_unfinished=handed.append, stopping=stopping.is_set)
    eventually(lambda: claude.requests)
    stopping.set()
    eventually(lambda: handed == [job.pk])
    assert control.pause(job.pk)
    runner.join(timeout=10)
    job.refresh_from_db()
    assert (job.status, job.successful_items) == ("completed", 1)


def test_calls_that_a_stopping_worker_still_has_in_flight_count_against_the_budget(
    claude: SimulatedClaude, batch: Make
) -> None:
    claude.when("", *["slow:1"] * 3)
    job = batch(8, concurrency=3)
    estimate = {"conversations": 8, "live": {"cost_usd": {"likely": "0.08"}}}  # there is room for three
    BatchJob.objects.filter(pk=job.pk).update(budget_usd="0.03", estimate=estimate)
    stopping, handed = threading.Event(), list[UUID]()
    first = in_background(engine.run_slice, job.pk, on_unfinished=handed.append, stopping=stopping.is_set)
    eventually(lambda: len(claude.requests) == 3)
    stopping.set()
    eventually(lambda: handed == [job.pk])
    second = in_background(engine.run_slice, job.pk, on_unfinished=handed.append)
    for runner in (first, second):
        runner.join(timeout=10)
    job.refresh_from_db()
    assert job.status == "paused" and job.status_reason.startswith("The budget of $0.03 has no room")
    assert Decimal("0.02") < job.actual_cost_usd <= Decimal("0.03")


def test_an_unknown_model_pauses_the_job_with_one_clear_sentence(
    claude: SimulatedClaude, batch: Make, run: Run
) -> None:
    job = batch(3, concurrency=1, overrides=Overrides(model="claude-imaginary-9"))
    run(job)
    assert (job.status, job.items.filter(error_type="model_unknown").count()) == ("paused", 1)
    assert "ANTHROPIC_MODEL" in job.status_reason and "claude-imaginary-9" in job.status_reason


def test_a_server_that_is_down_pauses_the_job(claude: SimulatedClaude, batch: Make, run: Run, settings: Any) -> None:
    settings.ANTHROPIC_BASE_URL = "http://127.0.0.1:9"  # the discard port: nobody listens
    job = batch(8, concurrency=2)
    run(job)
    assert job.status == "paused"
    assert "cannot be reached" in job.status_reason
    assert job.failed_items >= 3
    assert Conversation.objects.exclude(status__in=("draft", "failed")).count() == 0


def test_a_wait_for_the_rate_limit_is_said_and_does_not_hold_up_a_pause(
    claude: SimulatedClaude, batch: Make, settings: Any
) -> None:
    settings.RATE_LIMIT_RPM = 2
    job = batch(5, concurrency=5)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)

    def reason() -> str:
        return BatchJob.objects.values_list("status_reason", flat=True).get(pk=job.pk)

    eventually(lambda: reason().startswith("Rate limit: next request in"))
    assert len(claude.requests) == 2
    control.pause(job.pk)
    runner.join(timeout=5)
    assert not runner.is_alive()
    assert set(job.items.values_list("status", flat=True)) == {"completed", "queued"}
