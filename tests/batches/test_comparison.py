"""A batch against its estimate, and what the metrics make of that."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from batches.comparison import compare
from batches.metrics import LATEST, BatchCollector
from batches.models import BatchJob
from tests.factories import BatchJobFactory, batch_of

pytestmark = pytest.mark.django_db

Make = Callable[..., BatchJob]


def foreseen(usd: str, seconds: float) -> dict[str, Any]:
    spans = {"low": usd, "likely": usd, "high": usd}
    return {"cost_usd": spans, "seconds": {"low": seconds, "likely": seconds, "high": seconds}}


@pytest.fixture
def ended() -> Make:
    """A batch of four that was foreseen to cost $1 and take 100 s."""

    def make(*statuses: str, usd: str, seconds: float, ago: float = 0.0, **values: Any) -> BatchJob:
        estimate = {"live": foreseen("1.00", 100), "economy": foreseen("0.50", 3_600)}
        statuses = statuses or ("completed",) * 4
        job = batch_of(*statuses, **{"status": "completed", "estimate": estimate, **values})
        at = timezone.now() - timedelta(seconds=ago)
        job.items.filter(pk__in=job.items.values("pk")[:1]).update(cost_usd=Decimal(usd))  # which its counters follow
        BatchJob.objects.filter(pk=job.pk).update(started_at=at - timedelta(seconds=seconds), completed_at=at)
        job.refresh_from_db()
        return job

    return make


def test_cost_and_time_are_held_against_what_was_foreseen(ended: Make) -> None:
    compared = compare(ended(usd="1.10", seconds=150))
    assert compared is not None
    assert compared.usd.ratio == pytest.approx(1.1)
    assert compared.usd.difference == pytest.approx(0.1)
    assert compared.seconds.ratio == pytest.approx(1.5)
    assert compared.seconds.error == pytest.approx(50 / 150)


def test_a_cancelled_batch_is_measured_by_what_has_ended_of_it(ended: Make) -> None:
    job = ended("completed", "failed", "cancelled", "cancelled", usd="0.50", seconds=50, status="cancelled")
    compared = compare(job)
    assert compared is not None
    assert (compared.usd.ratio, compared.seconds.ratio) == (pytest.approx(1), pytest.approx(1))


def test_each_delivery_has_its_own_estimate(ended: Make) -> None:
    compared = compare(ended(usd="0.50", seconds=1_800, delivery="economy"))
    assert compared is not None
    assert (compared.usd.ratio, compared.seconds.ratio) == (pytest.approx(1), pytest.approx(0.5))


def test_without_an_estimate_or_anything_that_has_ended_there_is_nothing_to_compare(ended: Make) -> None:
    assert compare(BatchJobFactory()) is None
    assert compare(ended("queued", "queued", usd="0", seconds=1, status="paused")) is None


def told() -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("convgen_"), *sample.labels.values()): sample.value
        for family in BatchCollector().collect()
        for sample in family.samples
    }


def test_the_metrics_tell_how_far_off_estimates_were_on_average_by_delivery(ended: Make) -> None:
    ended(usd="1.25", seconds=200)  # a fifth, a half
    ended(usd="0.80", seconds=100)  # a quarter, nothing
    ended(usd="0.50", seconds=3_600, delivery="economy")
    BatchJobFactory(status="processing")
    metrics = told()
    assert metrics["batch_estimate_error", "live", "cost"] == pytest.approx((0.2 + 0.25) / 2)
    assert metrics["batch_estimate_error", "live", "time"] == pytest.approx(0.25, abs=0.001)
    assert metrics["batch_estimate_error", "economy", "cost"] == pytest.approx(0)
    assert metrics["batch_estimates_judged", "live"] == 2
    assert metrics["batches_unfinished", "processing"] == 1
    assert metrics["batches_unfinished", "paused"] == 0


def test_only_the_latest_count_and_it_takes_the_same_queries_for_many(ended: Make) -> None:
    ended(usd="100.00", seconds=100, ago=999)
    with CaptureQueriesContext(connection) as few:
        told()
    for number in range(LATEST):
        ended(usd="1.00", seconds=100, ago=number)
    with CaptureQueriesContext(connection) as many:
        metrics = told()
    assert metrics["batch_estimate_error", "live", "cost"] == pytest.approx(0)
    assert metrics["batch_estimates_judged", "live"] == LATEST
    assert len(many) == len(few)


def test_without_a_batch_to_judge_by_nothing_is_said_of_the_error() -> None:
    assert not [key for key in told() if key[0] == "batch_estimate_error"]
