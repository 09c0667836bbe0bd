"""The summary counts what the rows say."""

from datetime import timedelta
from decimal import Decimal

import pytest

from batches.models import BatchJob
from batches.summary import summarize
from generation.errors import TimedOut
from generation.models import GenerationLog
from tests.factories import BatchItemFactory, BatchJobFactory, ConversationFactory, GenerationLogFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def job() -> BatchJob:
    job = BatchJobFactory(status="completed")
    rows = [
        ("template", "completed", "generated", "9.1", "0.010000", ""),
        ("template", "completed", "pending_review", "3.9", "0.020000", ""),
        ("edge_case", "failed", "failed", None, "0.005000", "Claude declined."),
        ("edge_case", "cancelled", "draft", None, "0", ""),
    ]
    for position, (tier, status, of_conversation, score, cost, message) in enumerate(rows, start=1):
        conversation = ConversationFactory(
            workspace=job.workspace,
            tier=tier,
            status=of_conversation,
            quality_score=score and Decimal(score),
            cost_usd=Decimal(99),  # of its whole life
        )
        BatchItemFactory(
            job=job,
            conversation=conversation,
            status=status,
            position=position,
            error_type="reply_refused" if message else "",
            error_message=message,
            cost_usd=Decimal(cost),
        )
    job.refresh_from_db()
    return job


def test_tiers_are_counted_apart(job: BatchJob) -> None:
    template, edge_case = summarize(job).tiers
    assert (template.total, template.succeeded, template.pending_review) == (2, 2, 1)
    assert (edge_case.total, edge_case.failed, edge_case.cancelled) == (2, 1, 1)
    assert (template.cost_usd, edge_case.cost_usd) == (Decimal("0.030000"), Decimal("0.005000"))


def test_quality_is_averaged_and_spread_over_ranges(job: BatchJob) -> None:
    template, edge_case = summarize(job).tiers
    assert template.scores.average == Decimal("6.5")
    assert list(template.scores.histogram.values()) == [1, 0, 0, 1]
    assert edge_case.scores.average is None


def test_all_tiers_are_added_up(job: BatchJob) -> None:
    summary = summarize(job)
    together = summary.all_tiers
    assert (together.total, together.succeeded, together.failed, together.cancelled) == (4, 2, 1, 1)
    assert (together.cost_usd, together.scores.average) == (Decimal("0.035000"), Decimal("6.5"))
    assert list(together.scores.histogram.values()) == [1, 0, 0, 1]


def test_what_the_failed_ones_cost_is_borne_by_those_that_succeeded(job: BatchJob) -> None:
    assert summarize(job).cost_each == Decimal("0.017500")
    assert summarize(BatchJobFactory()).cost_each is None


def failed(job: BatchJob, error_type: str, message: str, status: str = "failed") -> str:
    conversation = ConversationFactory(workspace=job.workspace, status=status)
    item = {"status": "failed", "error_type": error_type, "error_message": message}
    BatchItemFactory(job=job, conversation=conversation, position=100 + conversation.pk.int % 10**6, **item)
    return str(conversation.conversation_id)


def test_failures_are_grouped_by_reason_the_most_frequent_first_with_what_to_do(job: BatchJob) -> None:
    ids = {failed(job, "timed_out", message) for message in ("After 60 s.", "After 150 s.", "After 60 s.", "At once.")}
    late, declined = summarize(job).failures
    assert (late.error_type, late.count, late.reason) == ("timed_out", 4, "After 60 s.")
    assert late.next_step == TimedOut.next_step
    assert len(late.examples) == 3 and {readable for _key, readable in late.examples} < ids
    assert (declined.error_type, declined.count) == ("reply_refused", 1)
    assert declined.next_step.startswith("Reword the template")


def test_worth_retrying_is_what_failed_in_passing_and_nobody_has_generated_since(job: BatchJob) -> None:
    failed(job, "overloaded", "Claude is overloaded.")
    failed(job, "overloaded", "Claude is overloaded.", status="generated")
    summary = summarize(job)
    assert [(each.error_type, each.worth_retrying) for each in summary.failures] == [
        ("overloaded", 1),
        ("reply_refused", 0),
    ]
    assert (summary.worth_retrying, summary.still_failed) == (1, 2)
    assert not summary.every_item_succeeded


def test_a_reason_that_is_not_known_any_more_has_its_advice_too(job: BatchJob) -> None:
    failed(job, "of_a_former_version", "Whatever it was.")
    (other,) = [each for each in summarize(job).failures if each.error_type == "of_a_former_version"]
    assert other.next_step.startswith("See the reason")


def test_what_the_prompt_cache_saved_is_added_up_over_this_batchs_attempts(job: BatchJob) -> None:
    conversation = job.items.get(position=1).conversation
    for saved in ("-0.000500", "0.003000"):
        GenerationLogFactory(conversation=conversation, cache_saving_usd=Decimal(saved))
    earlier = GenerationLogFactory(conversation=conversation, cache_saving_usd=Decimal(7))
    GenerationLog.objects.filter(pk=earlier.pk).update(created_at=job.created_at - timedelta(days=1))
    GenerationLogFactory(cache_saving_usd=Decimal(8))  # another conversation's
    summary = summarize(job)
    assert summary.cache_saving_usd == Decimal("0.002500")
    assert summary.as_json()["cache_saving_usd"] == "0.002500"


def test_as_json_repeats_it_with_plain_values(job: BatchJob) -> None:
    said = summarize(job).as_json()
    assert said["tiers"][0]["cost_usd"] == "0.030000"
    assert said["tiers"][0]["average_quality"] == 6.5
    assert said["average_quality"] == 6.5
    assert said["cost_usd_each"] == "0.017500"
    (declined,) = said["failures"]
    assert (declined["error_type"], declined["count"], declined["reason"]) == ("reply_refused", 1, "Claude declined.")
    assert declined["next_step"] and declined["worth_retrying"] == 0 and len(declined["examples"]) == 1
    assert (said["estimate"], said["against_estimate"]) == (None, None)


def test_it_takes_two_queries_whatever_its_size(
    job: BatchJob, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_num_queries(2):  # type: ignore[operator]
        summarize(job)
