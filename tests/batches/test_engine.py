"""The slice: what becomes of a job's items, over real HTTP and real PostgreSQL."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.utils import timezone

from batches import control, engine, leases
from batches.models import BatchItem, BatchJob
from conversations.models import Conversation
from generation.drafts import Drafts
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory, TurnFactory

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., BatchJob]
Run = Callable[..., list[UUID]]


def ignore(_job_id: UUID) -> None:
    """Do not continue."""


def eventually(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def in_background(function: Callable[..., Any], *args: Any, **kwargs: Any) -> threading.Thread:
    def work() -> None:
        try:
            function(*args, **kwargs)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_every_item_is_generated_once_and_counted(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(7, concurrency=3)
    run(job)
    assert (job.status, job.successful_items, job.failed_items, job.completed_items) == ("completed", 7, 0, 7)
    assert Conversation.objects.filter(status="generated").count() == 7
    assert len(claude.requests) == 7
    assert job.actual_cost_usd == sum(GenerationLog.objects.values_list("cost_usd", flat=True)) > 0
    assert set(job.items.values_list("status", "progress", "lease_expires_at")) == {("completed", 100, None)}
    assert (job.runner, job.runner_lease_expires_at) == ("", None)


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


def test_stop_also_ends_at_an_item_that_could_not_be_begun(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(4, concurrency=1, error_handling="stop")
    first = job.items.get(position=1).conversation
    Conversation.objects.filter(pk=first.pk).update(status="archived")
    run(job)
    assert (job.status, job.failed_items, claude.requests) == ("failed", 1, [])


@pytest.mark.parametrize(("runner", "status"), [("another", "processing"), ("mine", "paused")])
def test_only_the_runner_of_a_processing_job_can_claim(batch: Make, runner: str, status: str) -> None:
    job = batch(2)
    BatchJob.objects.update(runner=runner, status=status)
    assert leases.claim(job, "mine", 2, Drafts()).works == []
    assert set(job.items.values_list("status", flat=True)) == {"queued"}


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


def test_no_more_calls_are_in_flight_than_asked_for(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.behaviour.latency = 0.1
    job = batch(8, concurrency=2)
    begun = time.monotonic()
    run(job)
    assert time.monotonic() - begun > 0.3  # four waves of 0.1 s: more at a time would have been faster
    assert job.successful_items == 8


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


def test_a_wait_for_another_attempt_does_not_hold_up_a_pause(
    claude: SimulatedClaude, batch: Make, settings: Any
) -> None:
    settings.GENERATION_FIRST_WAIT = 60.0
    claude.behaviour.script.extend(["529"])
    job = batch(1)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: GenerationLog.objects.filter(status="failed").exists())
    control.pause(job.pk)
    runner.join(timeout=5)
    assert not runner.is_alive()
    item = job.items.get()
    assert (item.status, item.attempts) == ("queued", 1)  # given back; one request was sent
    assert (item.conversation.status, item.conversation.claim) == ("draft", None)


def test_what_only_waits_is_cancelled_with_its_job(claude: SimulatedClaude, batch: Make, settings: Any) -> None:
    settings.GENERATION_FIRST_WAIT = 60.0
    claude.behaviour.script.extend(["529"])
    job = batch(1)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: GenerationLog.objects.filter(status="failed").exists())
    control.cancel(job.pk)
    runner.join(timeout=5)
    item = job.items.get()
    assert (item.status, item.conversation.status) == ("cancelled", "draft")


def test_a_conversation_given_back_is_taken_over_and_what_it_cost_is_kept(
    claude: SimulatedClaude, batch: Make, run: Run, settings: Any
) -> None:
    settings.GENERATION_FIRST_WAIT = 60.0
    claude.behaviour.script.extend(["cut-off"])
    job = batch(1)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: GenerationLog.objects.filter(status="failed").exists())
    control.pause(job.pk)
    runner.join(timeout=5)
    control.resume(job.pk)
    run(job)
    assert (job.status, job.successful_items) == ("completed", 1)
    paid = list(GenerationLog.objects.values_list("cost_usd", flat=True))
    assert len(paid) == 2
    assert job.actual_cost_usd == Conversation.objects.get().cost_usd == sum(paid)


def test_a_slice_hands_over_when_its_time_is_up(claude: SimulatedClaude, batch: Make, run: Run, settings: Any) -> None:
    settings.BATCH_SLICE_SECONDS = 0.2
    claude.behaviour.latency = 0.15
    job = batch(6, concurrency=1)
    handed = run(job)
    assert handed and set(handed) == {job.pk}
    assert (job.status, len(claude.requests)) == ("completed", 6)


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
    assert late.holds(None, Decimal(0)) is False
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
    Conversation.objects.filter(pk=done.pk).update(status="approved", title="Made by hand")
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


def test_a_changed_concurrency_is_seen_while_running(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.3
    job = batch(9, concurrency=1)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: len(claude.requests) == 1)
    BatchJob.objects.filter(pk=job.pk).update(concurrent_processing=8)
    eventually(lambda: len(claude.requests) == 9, seconds=2)
    runner.join(timeout=10)


def test_a_template_with_a_syntax_error_fails_its_item_in_words(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    job = batch(1, structure="Talk with {{persona.")
    run(job)
    item = job.items.get()
    assert (job.status, item.error_type, claude.requests) == ("failed", "prompt_unresolved", [])
    assert "line 1, column 11" in item.error_message


def test_an_unknown_model_pauses_the_job_with_one_clear_sentence(
    claude: SimulatedClaude, batch: Make, run: Run
) -> None:
    job = batch(3, concurrency=1, model="claude-imaginary-9")
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
