"""A job's counters are those of its items, whoever writes, and however many at once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import Count, F, Q, Sum

from batches.choices import ItemStatus, JobStatus
from batches.models import BatchItem, BatchJob
from convgen.tenancy import workspace_scope
from tests.factories import BatchItemFactory, BatchJobFactory, ConversationFactory

pytestmark = pytest.mark.django_db


def counters(job: BatchJob) -> tuple[int, int, int, int, Decimal]:
    job.refresh_from_db()
    return job.total_items, job.completed_items, job.successful_items, job.failed_items, job.actual_cost_usd


def counted(job: BatchJob) -> tuple[int, int, int, int, Decimal]:
    """The same from the items themselves."""
    of_items = BatchItem.objects.filter(job=job).aggregate(
        total=Count("pk"),
        successful=Count("pk", filter=Q(status="completed")),
        failed=Count("pk", filter=Q(status="failed")),
        cost=Sum("cost_usd", default=Decimal(0)),
    )
    total, successful, failed, cost = of_items.values()
    return total, successful + failed, successful, failed, cost


@pytest.fixture
def job() -> BatchJob:
    """A job of six items: two completed, one failed, one at work, two waiting."""
    job: BatchJob = BatchJobFactory(status="processing")
    for status in ("completed", "completed", "failed", "processing", "queued", "queued"):
        BatchItemFactory(job=job, status=status, cost_usd="0.25" if status == "completed" else 0)
    return job


def test_new_items_are_counted(job: BatchJob) -> None:
    assert counters(job) == (6, 3, 2, 1, Decimal("0.5"))


def _retry(items: Any) -> None:
    items.filter(status="failed").update(status="queued")


def _raw(items: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE batches_batchitem SET status = 'failed', cost_usd = 1 WHERE status = 'processing'")


def _saved(items: Any) -> None:
    item = items.get(status="processing")
    item.status, item.cost_usd = "completed", Decimal(2)
    item.save()


def _bulk(items: Any) -> None:
    job = items[0].job
    conversations = ConversationFactory.create_batch(3, workspace=job.workspace)
    BatchItem.objects.bulk_create(
        BatchItem(workspace=job.workspace, job=job, conversation=one, position=100_000 + place)
        for place, one in enumerate(conversations)
    )


@pytest.mark.parametrize(
    "write",
    [
        _retry,
        _raw,
        _saved,
        _bulk,
        lambda items: items.filter(status="queued").update(status="cancelled"),
        lambda items: items.update(cost_usd=F("cost_usd") + 1),
        lambda items: items.filter(status="completed").delete(),
        lambda items: items.first().delete(),
        lambda items: items.filter(status="processing").first().conversation.delete(),
    ],
    ids=["retry", "raw SQL", "save", "bulk_create", "cancel", "cost", "delete many", "delete one", "cascade"],
)
def test_the_counters_follow_every_kind_of_write(job: BatchJob, write: Callable[[Any], None]) -> None:
    write(BatchItem.objects.filter(job=job).order_by("position"))
    assert counters(job) == counted(job)


def test_each_job_is_counted_by_itself(job: BatchJob) -> None:
    other = BatchItemFactory(job=BatchJobFactory(workspace=job.workspace), status="processing").job
    BatchItem.objects.filter(status="processing").update(status="failed")
    assert (counters(job), counters(other)) == (counted(job), counted(other))
    assert counters(other)[3] == 1


def test_a_heartbeat_does_not_touch_the_job(job: BatchJob) -> None:
    def version() -> Any:
        return BatchJob.objects.extra(select={"version": "xmin::text"}).values_list("version", flat=True).get(pk=job.pk)

    before = version()
    BatchItem.objects.filter(job=job).update(claimed_by="somebody")
    assert version() == before


@pytest.mark.parametrize("counter", ["total_items", "successful_items", "failed_items", "actual_cost_usd"])
def test_a_counter_that_is_written_by_hand_stays_true(job: BatchJob, counter: str) -> None:
    BatchJob.objects.filter(pk=job.pk).update(**{counter: F(counter) + 1})
    assert counters(job) == counted(job)


def test_a_job_begins_without_items() -> None:
    assert counters(BatchJobFactory(total_items=3, failed_items=1)) == (0, 0, 0, 0, 0)


def test_a_job_that_was_read_before_its_items_ended_can_be_saved(job: BatchJob) -> None:
    before = BatchJob.objects.get(pk=job.pk)
    BatchItem.objects.filter(status="processing").update(status="completed")
    before.name = "Renamed"
    before.save()
    assert counters(job) == counted(job)
    assert job.name == "Renamed"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_let_the_counters_drift() -> None:
    job = BatchJobFactory(status="processing")
    for _ in range(40):
        BatchItemFactory(job=job, status="processing")
    items = list(BatchItem.objects.values_list("pk", flat=True))
    barrier = threading.Barrier(8)

    def end(mine: list[Any]) -> None:
        try:
            barrier.wait(timeout=10)
            with workspace_scope(job.workspace_id):
                for place, item in enumerate(mine):
                    status = "failed" if place % 3 else "completed"
                    BatchItem.objects.filter(pk=item).update(status=status, cost_usd=F("cost_usd") + Decimal("0.1"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=end, args=(items[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters(job) == counted(job)
    assert counters(job)[:2] == (40, 40)


# The time remaining: computed by the database from the pace and the counters.


def _remaining(job: BatchJob) -> timedelta | None:
    job.refresh_from_db()
    return job.estimated_time_remaining


def test_the_time_remaining_follows_pace_and_items(job: BatchJob) -> None:
    assert _remaining(job) is None  # nobody has measured it yet
    BatchJob.objects.update(seconds_per_item=2.5)
    assert _remaining(job) == timedelta(seconds=7.5)  # three of six are left
    BatchItem.objects.filter(status=ItemStatus.PROCESSING).update(status=ItemStatus.COMPLETED)
    assert _remaining(job) == timedelta(seconds=5)


def test_nothing_remains_of_a_job_that_has_ended(job: BatchJob) -> None:
    BatchJob.objects.update(status=JobStatus.CANCELLED)
    assert _remaining(job) == timedelta(0)
