"""The summary counts what the rows say."""

from datetime import timedelta
from decimal import Decimal

import pytest

from batches.models import BatchJob
from batches.summary import summarize
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
    assert template.average_quality == Decimal("6.5")
    assert list(template.histogram.values()) == [1, 0, 0, 1]
    assert edge_case.average_quality is None


def test_failures_are_grouped_by_their_sentence(job: BatchJob) -> None:
    summary = summarize(job)
    assert summary.failures == {"Claude declined.": 1}
    assert not summary.every_item_succeeded


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
    assert said["failures"] == [{"message": "Claude declined.", "count": 1}]


def test_it_takes_two_queries_whatever_its_size(
    job: BatchJob, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_num_queries(2):  # type: ignore[operator]
        summarize(job)
