"""What becomes of an item, by the kind of its result."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from batches import control
from batches.economy.reading import SHORT_READS
from batches.models import BatchItem, BatchJob, MessageBatch
from conversations.models import Conversation
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.batches.economy.conftest import DONE, Make, conversations, remote, statuses
from tests.factories import BatchItemFactory, ConversationFactory

pytestmark = pytest.mark.django_db(transaction=True)
Step = Callable[..., Any]


@pytest.fixture
def read(economy: Make, submit: Step, collect: Step, claude: SimulatedClaude) -> Callable[..., BatchJob]:
    """A batch of one whose first message batch ended with `kind` and was read."""

    def read_once(kind: str, **order: Any) -> BatchJob:
        claude.behaviour.batch_script.append(kind)
        job = economy(1, **order)
        submit(job)
        claude.clock.advance(DONE)
        read_once.handed = collect(job)  # type: ignore[attr-defined]
        return job

    return read_once


AGAIN = ("500", "529", "429", "504", "expired", "malformed", "cut-off")


@pytest.mark.parametrize("kind", AGAIN)
def test_what_may_succeed_the_next_time_is_sent_again(read: Step, finish: Step, kind: str) -> None:
    job = read(kind)
    item = BatchItem.objects.get()
    assert (job.status, item.status, item.submissions, item.message_batch) == ("processing", "queued", 1, None)
    assert Conversation.objects.get().status == "draft"
    assert read.handed == [job.pk]  # type: ignore[attr-defined]
    finish(job)
    assert (job.status, BatchItem.objects.get().submissions) == ("completed", 2)
    logs = GenerationLog.objects.order_by("created_at")
    assert [(log.status, log.attempt) for log in logs] == [("failed", 1), ("succeeded", 2)]


@pytest.mark.parametrize("kind", ["malformed", "cut-off"])
def test_a_reply_that_cannot_be_used_is_paid_for_all_the_same(read: Step, kind: str) -> None:
    job = read(kind)
    log = GenerationLog.objects.get()
    assert job.actual_cost_usd == log.cost_usd == BatchItem.objects.get().cost_usd > 0
    assert Conversation.objects.get().cost_usd == log.cost_usd


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("500", "server_failed", "Try again in a while."),
        ("expired", "request_expired", "within a day"),
        ("malformed", "reply_malformed", "no JSON object"),
    ],
)
def test_after_its_last_attempt_it_fails_and_says_what_to_do(read: Step, kind: str, error: str, words: str) -> None:
    job = read(kind, max_attempts=1)
    item = BatchItem.objects.get()
    assert (job.status, item.status, item.error_type) == ("failed", "failed", error)
    assert words in item.error_message
    assert conversations(job) == ["failed"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("400", "request_refused"),
        ("413", "request_too_large"),
        ("422", "request_refused"),
        ("refusal", "reply_refused"),
    ],
)
def test_what_can_never_succeed_fails_at_once(read: Step, kind: str, error: str) -> None:
    job = read(kind)
    assert (job.status, BatchItem.objects.get().error_type) == ("failed", error)
    assert GenerationLog.objects.get().status == "failed"


@pytest.mark.parametrize("kind", ["401", "402", "403", "404", "spend-limit", "on-hold"])
def test_what_only_an_operator_can_mend_pauses_the_batch_and_costs_no_attempt(
    read: Step, finish: Step, kind: str
) -> None:
    job = read(kind)
    item = BatchItem.objects.get()
    assert (job.status, item.status, item.submissions, item.attempts) == ("paused", "queued", 0, 0)
    assert job.status_reason
    control.resume(job.pk)
    finish(job)
    assert job.status == "completed"


def test_what_somebody_cancelled_at_anthropic_waits_until_the_batch_is_resumed(
    read: Step, finish: Step, claude: SimulatedClaude
) -> None:
    job = read("canceled")
    assert (job.status, statuses(job), conversations(job)) == ("paused", ["queued"], ["draft"])
    assert "cancelled at Anthropic" in job.status_reason and "resume the batch" in job.status_reason
    assert remote(claude) == 1
    control.resume(job.pk)
    finish(job)
    assert job.status == "completed"


def test_the_results_of_one_message_batch_go_different_ways(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    claude.behaviour.batch_script.extend(["", "400", "expired", "refusal", ""])
    job = economy(5)
    submit(job)
    claude.clock.advance(DONE)
    collect(job)
    assert statuses(job) == ["completed", "failed", "queued", "failed", "completed"]
    message_batch = MessageBatch.objects.get()
    told = (message_batch.succeeded, message_batch.errored, message_batch.canceled, message_batch.expired)
    assert told == (3, 1, 0, 1)
    assert (job.successful_items, job.failed_items) == (2, 2)
    assert GenerationLog.objects.count() == 5


def test_results_that_break_off_are_read_again_and_nothing_is_sent_again(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(2)
    submit(job)
    claude.clock.advance(DONE)
    claude.when("", "short-body", "reset", endpoint="batches.results")
    for _look in range(2):
        collect(job)
        message_batch = MessageBatch.objects.get()
        assert message_batch.status == "ended" and message_batch.last_error
        assert "Claude cannot be reached" in job.status_reason
    collect(job)
    assert (job.status, remote(claude)) == ("completed", 1)


def test_a_look_that_fails_comes_later_each_time(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(1)
    submit(job)
    claude.when("", "500", "503", "429:200", endpoint="batches.retrieve")
    waits = []
    for _look in range(3):
        collect(job)
        message_batch = MessageBatch.objects.get()
        waits.append((message_batch.next_look_at - job.updated_at).total_seconds())
    assert 50 < waits[0] < 70 and 110 < waits[1] < 130 and 230 < waits[2] < 250
    collect(job)
    assert (MessageBatch.objects.get().failed_looks, MessageBatch.objects.get().last_error) == (0, "")


def test_results_that_are_gone_fail_the_items_and_are_never_bought_again(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(2)
    submit(job)
    claude.clock.advance(30 * 86_400)
    collect(job)
    assert job.status == "processing"
    collect(job)
    assert (job.status, conversations(job), remote(claude)) == ("failed", ["failed", "failed"], 1)
    assert MessageBatch.objects.get().status == "lost"
    for item in BatchItem.objects.all():
        assert item.error_type == "results_gone" and "See Anthropic's Console" in item.error_message


def test_a_message_batch_that_was_deleted_is_gone_too(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(1)
    submit(job)
    claude.when("", "404", "404", endpoint="batches.retrieve")
    collect(job)
    collect(job)
    assert (job.status, MessageBatch.objects.get().status) == ("failed", "lost")


def test_what_was_paid_for_is_not_thrown_away_for_one_404(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(1)
    submit(job)
    claude.clock.advance(DONE)
    claude.when("", "404", endpoint="batches.retrieve")
    collect(job)
    assert "are gone" in MessageBatch.objects.get().last_error
    collect(job)
    assert (job.status, job.successful_items, MessageBatch.objects.get().status) == ("completed", 1, "read")


def test_with_another_key_it_waits_and_says_which_is_needed(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude, settings: Any
) -> None:
    job = economy(1)
    submit(job)
    claude.clock.advance(DONE)
    first, settings.ANTHROPIC_API_KEY = settings.ANTHROPIC_API_KEY, "another-key"
    collect(job)
    assert (job.status, statuses(job)) == ("processing", ["processing"])
    assert "another API key" in job.status_reason and "set ANTHROPIC_API_KEY" in job.status_reason
    assert remote(claude, "batches.retrieve") == 0
    settings.ANTHROPIC_API_KEY = first
    collect(job)
    assert job.status == "completed"


def test_a_conversation_that_somebody_took_away_ends_its_item(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(2)
    submit(job)
    taken = BatchItem.objects.filter(job=job).first()
    assert taken
    Conversation.objects.filter(pk=taken.conversation_id).update(status="draft", claim=None)
    claude.clock.advance(DONE)
    collect(job)
    assert statuses(job) == ["failed", "completed"]
    assert BatchItem.objects.get(pk=taken.pk).error_type == "not_claimable"
    assert set(GenerationLog.objects.values_list("status", flat=True)) == {"succeeded", "discarded"}


@pytest.fixture
def silent(economy: Make, submit: Step, claude: SimulatedClaude) -> BatchItem:
    """An item in a message batch of three, which has ended, whose results say nothing of it."""
    job = economy(2)
    submit(job)
    message_batch, call = MessageBatch.objects.get(), uuid4()
    MessageBatch.objects.update(requests=3)
    claude.clock.advance(DONE)
    return BatchItemFactory(
        position=3,
        job=job,
        conversation=ConversationFactory(workspace=job.workspace, status="generating", claim=call),
        status="processing",
        call_id=call,
        message_batch=message_batch,
        submissions=1,
        attempts=1,
        sent={"request": {"model": "claude-sonnet-5-5"}, "template_version": 1},
    )


def test_a_request_that_the_results_say_nothing_of_is_first_read_and_then_sent_again(
    silent: BatchItem, collect: Step
) -> None:
    for _look in range(SHORT_READS):
        collect(silent.job)
        assert "sent only 2 of 3 results" in MessageBatch.objects.get().last_error
    assert BatchItem.objects.get(pk=silent.pk).status == "processing"
    assert collect(silent.job) == [silent.job_id]
    assert (MessageBatch.objects.get().status, BatchItem.objects.get(pk=silent.pk).status) == ("read", "queued")
    assert GenerationLog.objects.filter(status="failed").get().error_type == "server_failed"


def test_results_are_not_taken_for_lost_because_they_could_not_be_read_before(
    silent: BatchItem, collect: Step, claude: SimulatedClaude
) -> None:
    claude.when("", *["500"] * SHORT_READS, endpoint="batches.results")
    for _look in range(SHORT_READS + 1):
        collect(silent.job)
    assert "sent only 2 of 3 results" in MessageBatch.objects.get().last_error
    assert BatchItem.objects.get(pk=silent.pk).status == "processing"  # it may have been paid for


def test_a_result_that_cannot_even_be_logged_ends_its_item_and_holds_up_no_other(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(3)
    submit(job)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE generation_generationlog ADD CONSTRAINT none_of_it CHECK (conversation_id <> %s)",
            [Conversation.objects.filter(batch_items__job=job).earliest("pk").pk],
        )
    try:
        claude.clock.advance(DONE)
        collect(job)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE generation_generationlog DROP CONSTRAINT none_of_it")
    assert (job.status, sorted(statuses(job))) == ("completed", ["completed", "completed", "failed"])
    assert BatchItem.objects.get(status="failed").error_type == "program_failed"


def test_an_error_of_our_own_fails_the_item_and_keeps_what_was_paid(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(2)
    submit(job)
    with connection.cursor() as cursor:  # a conversation that cannot be saved
        cursor.execute(
            "ALTER TABLE conversations_turn ADD CONSTRAINT none_of_it CHECK (conversation_id <> %s)",
            [Conversation.objects.filter(batch_items__job=job).earliest("pk").pk],
        )
    try:
        claude.clock.advance(DONE)
        collect(job)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE conversations_turn DROP CONSTRAINT none_of_it")
    assert sorted(statuses(job)) == ["completed", "failed"]
    failed = BatchItem.objects.get(status="failed")
    assert failed.error_type == "program_failed" and failed.cost_usd > 0
    assert GenerationLog.objects.get(status="failed").cost_usd == failed.cost_usd
