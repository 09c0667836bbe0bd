"""An economy batch from its order to its end."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from batches import control
from batches.models import BatchItem, BatchJob, MessageBatch
from conversations.models import Conversation, Turn
from generation.configuration import Overrides
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.batches.economy.conftest import DONE, Make, conversations, remote, statuses
from tests.factories import BatchJobFactory

pytestmark = pytest.mark.django_db(transaction=True)
Step = Callable[..., Any]


def test_what_was_sent_is_held_by_its_message_batch_and_by_no_process(economy: Make, submit: Step) -> None:
    job = economy(3)
    assert submit(job) == []  # nothing is left for another slice
    message_batch = MessageBatch.objects.get()
    assert (message_batch.status, message_batch.requests, message_batch.holder) == ("in_progress", 3, "")
    assert message_batch.remote_id.startswith("msgbatch_")
    items = BatchItem.objects.filter(job=job, message_batch=message_batch, status="processing")
    assert set(items.values_list("lease_expires_at", "submissions")) == {(None, 1)}
    assert set(Conversation.objects.values_list("status", "claim_expires_at")) == {("generating", None)}
    assert job.status_reason == "1 message batch with 3 requests is at Claude, who answers within a day."


def test_results_are_saved_as_live_replies_are(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(3)
    submit(job)
    collect(job)  # too early
    assert statuses(job) == ["processing"] * 3
    claude.clock.advance(DONE)
    collect(job)
    assert (job.status, job.successful_items, job.status_reason) == ("completed", 3, "")
    assert set(conversations(job)) <= {"generated", "pending_review"}
    assert MessageBatch.objects.get().status == "read"
    for one in Conversation.objects.all():
        assert one.turn_count == one.turns.count() > 0
        assert one.quality_score is not None
        assert one.claim is None and one.template_version == 1


def test_it_costs_half_of_live_delivery(economy: Make, batch: Make, finish: Step, run: Step) -> None:
    cheap, live = economy(3), batch(3)
    finish(cheap)
    run(live)
    tokens = "input_tokens", "output_tokens"
    half = GenerationLog.objects.exclude(message_batch_id="").values_list(*tokens, "cost_usd")
    whole = GenerationLog.objects.filter(message_batch_id="").values_list(*tokens, "cost_usd")
    price = {(asked, said): cost for asked, said, cost in whole}
    for asked, said, cost in half:
        assert cost == (Decimal(2) * asked + Decimal(10) * said) / 2 / 1_000_000
    for (asked, said), cost in price.items():
        assert cost == (Decimal(2) * asked + Decimal(10) * said) / 1_000_000
    assert cheap.actual_cost_usd == sum(cost for *_tokens, cost in half) > 0


def test_the_log_keeps_the_request_and_the_message_batch(economy: Make, finish: Step, claude: SimulatedClaude) -> None:
    job = economy(2)
    finish(job)
    message_batch = MessageBatch.objects.get()
    for log in GenerationLog.objects.all():
        assert log.message_batch_id == message_batch.remote_id
        assert "cache_control" not in log.request["system"][0]  # what a message batch writes, none of it reads
        assert log.request["messages"] and log.response
        assert log.duration_ms == pytest.approx(DONE / 2 * 1000, rel=0.01)  # from submission to end
    assert set(BatchItem.objects.values_list("sent", flat=True)) == {None}  # it is in the log now


def test_a_template_that_was_edited_meanwhile_is_saved_as_it_was_when_it_was_sent(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(1)
    submit(job)
    template = Conversation.objects.get().template
    assert template is not None
    template.structure, template.version = "Something else with {{persona}}.", 2
    template.save()
    claude.clock.advance(DONE)
    collect(job)
    assert Conversation.objects.get().template_version == 1
    assert "Talk with" in GenerationLog.objects.get().request["messages"][0]["content"]


def test_a_second_slice_sends_nothing_a_second_time(economy: Make, submit: Step, claude: SimulatedClaude) -> None:
    job = economy(3)
    submit(job)
    submit(job)
    assert remote(claude) == 1


def test_looking_again_after_the_end_changes_nothing(
    economy: Make, finish: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(3)
    finish(job)
    before = list(Turn.objects.order_by("pk").values_list("pk", flat=True)), GenerationLog.objects.count()
    collect(job)
    assert (list(Turn.objects.order_by("pk").values_list("pk", flat=True)), GenerationLog.objects.count()) == before


def test_a_prompt_that_cannot_be_resolved_fails_before_anything_is_sent(
    economy: Make, submit: Step, claude: SimulatedClaude
) -> None:
    job = economy(2, structure="Talk about {{nothing}}.")
    submit(job)
    assert (job.status, statuses(job), remote(claude)) == ("failed", ["failed", "failed"], 0)
    assert "nothing" in BatchItem.objects.filter(job=job)[0].error_message


def test_shared_parameters_and_the_batchs_model_count_as_in_live_delivery(economy: Make, finish: Step) -> None:

    job = economy(
        1, structure="Talk in {{city}}.", shared_parameters={"city": "Oslo"}, overrides=Overrides(effort="low")
    )
    finish(job)
    log = GenerationLog.objects.get()
    assert "Talk in Oslo." in log.request["messages"][0]["content"]
    assert log.request["output_config"]["effort"] == "low"


def test_economy_batches_take_no_place_from_live_ones(economy: Make, settings: Any) -> None:
    settings.MAX_RUNNING_BATCHES = 1
    economy(1)
    waiting = [BatchJobFactory(delivery=delivery) for delivery in ("economy", "live", "live")]
    control.dispatch()
    assert [BatchJob.objects.get(pk=job.pk).status for job in waiting] == ["processing", "processing", "queued"]
