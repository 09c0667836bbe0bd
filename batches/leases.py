"""Who works on what: the runner's lease on a job, and the leases on its items.

A job has one runner at a time. Its items are claimed in order with SKIP LOCKED, each under a new call id; an item
whose lease ran out (its worker died, or stood still) is claimed again like a waiting one. An end counts only with
the call id of the present claim, so a late or duplicate worker changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from batches.models import BatchItem, BatchJob, ItemStatus, JobStatus
from conversations.models import Conversation
from generation import claims, saving
from generation.drafts import Drafts
from generation.errors import Abandoned, GenerationError, NotClaimable
from generation.saving import ZERO, Orderer

TAKE_JOB = """
UPDATE batches_batchjob
SET runner = %(runner)s, runner_lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second',
    updated_at = clock_timestamp()
WHERE id = %(job)s AND status = 'processing'
  AND (runner = '' OR runner_lease_expires_at < clock_timestamp())
"""

# Keeps the lease, writes the time remaining and what is waited for, and tells what the slice must know.
LOOK = """
UPDATE batches_batchjob
SET status_reason = CASE WHEN status = 'processing' THEN %(waiting_for)s ELSE status_reason END,
    runner_lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second',
    estimated_time_remaining = CASE WHEN completed_items > 0 THEN
        (clock_timestamp() - started_at) * (total_items - completed_items) / completed_items END
WHERE id = %(job)s AND runner = %(runner)s
RETURNING status, concurrent_processing, total_items - completed_items, (
    SELECT count(*) FROM (
        SELECT FROM batches_batchitem
        WHERE job_id = %(job)s
          AND (status = 'queued' OR status = 'processing' AND lease_expires_at < clock_timestamp())
        LIMIT 1000  -- the runner looks again long before it has begun so many
    ) AS waiting
)
"""

# The order of locks here, items before conversations, is that of saving.
CLAIM_ITEMS = """
UPDATE batches_batchitem AS item
SET status = 'processing', claimed_by = %(runner)s, call_id = gen_random_uuid(), attempts = attempts + 1,
    lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second',
    started_at = coalesce(started_at, clock_timestamp())
FROM (
    SELECT id, call_id AS former FROM batches_batchitem
    WHERE job_id = %(job)s
      AND (status = 'queued' OR status = 'processing' AND lease_expires_at < clock_timestamp())
    ORDER BY position LIMIT %(wanted)s FOR UPDATE SKIP LOCKED
) AS free
WHERE item.id = free.id
RETURNING item.id, item.conversation_id, item.call_id, free.former, item.attempts
"""


@dataclass(frozen=True)
class Look:
    """What a job's runner sees when it looks up."""

    status: str
    concurrency: int
    unfinished: int  # items not ended, those in flight included
    waiting: int  # items that can be claimed; counted up to 1,000


@dataclass(frozen=True)
class Work(Orderer):
    """One claimed item, with its draft loaded. Its end is written with the conversation's, fenced by the call id."""

    item_id: UUID
    job_id: UUID
    call_id: UUID
    draft: Conversation

    def holds(self, error: GenerationError | None) -> bool:
        return _end_item(self.item_id, self.call_id, error)

    def count(self, error: GenerationError | None, spent_usd: Decimal) -> None:
        _count(self.job_id, error, spent_usd)


def take_job(job_id: UUID, runner: str) -> bool:
    """Become the job's runner. False when it has one, or is not processing: a duplicate delivery, for example."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_JOB, {"job": job_id, "runner": runner, "lease": settings.BATCH_LEASE_SECONDS})
        return bool(cursor.rowcount)


def look(job_id: UUID, runner: str, *, waiting_for: str = "") -> Look | None:
    """Keep the runner's lease and see how the job stands; None when the lease went to somebody else.

    `waiting_for` is what holds the runner up at the moment, in words for the job's page.
    """
    with connection.cursor() as cursor:
        values = {"job": job_id, "runner": runner, "lease": settings.BATCH_LEASE_SECONDS, "waiting_for": waiting_for}
        cursor.execute(LOOK, values)
        row = cursor.fetchone()
    return Look(*row) if row else None


@transaction.atomic
def claim(job: BatchJob, runner: str, wanted: int, known: Drafts) -> list[Work]:
    """Claim up to `wanted` items and their conversations.

    `known` keeps templates and sources between calls. An item that was begun too often is failed here, and so is one
    whose conversation is no draft any more.
    """
    with connection.cursor() as cursor:
        values = {"job": job.pk, "runner": runner, "lease": settings.BATCH_LEASE_SECONDS, "wanted": wanted}
        cursor.execute(CLAIM_ITEMS, values)
        rows = cursor.fetchall()
    if not rows:
        return []
    claimed = claims.take(
        [claims.Claim(conversation, call, former) for _item, conversation, call, former, _attempts in rows],
        attempts=job.max_attempts,
    )
    drafts = known.load(claimed)
    works = []
    for item, conversation, call, _former, attempts in rows:
        if conversation not in claimed:
            _refuse(item, job.pk, call)
        elif attempts > settings.BATCH_ITEM_CLAIMS:
            draft = drafts[conversation]
            saving.fail(draft, call, Abandoned(), orderer=Work(item, job.pk, call, draft))
        else:
            works.append(Work(item, job.pk, call, drafts[conversation]))
    return works


def heartbeat(job_id: UUID, runner: str) -> None:
    """Keep the leases of the items that this runner works on."""
    _ours(job_id, runner).update(lease_expires_at=timezone.now() + timedelta(seconds=settings.BATCH_LEASE_SECONDS))


@transaction.atomic
def give_back(work: Work, spent_usd: Decimal) -> None:
    """Put an interrupted item back to the waiting ones; it was no failed try, and is not counted as one.

    `spent_usd` is what replies that could not be used have cost all the same.
    """
    job = BatchJob.objects.select_for_update().get(pk=work.job_id)  # it must not end while we look
    held = BatchItem.objects.filter(pk=work.item_id, call_id=work.call_id, status=ItemStatus.PROCESSING).update(
        status=ItemStatus.CANCELLED if job.ended else ItemStatus.QUEUED,
        claimed_by="",
        lease_expires_at=None,
        attempts=F("attempts") - 1,
    )
    if held:
        claims.give_back(work.draft.id, work.call_id, spent_usd)
        BatchJob.objects.filter(pk=work.job_id).update(actual_cost_usd=F("actual_cost_usd") + spent_usd)


@transaction.atomic
def leave_job(job_id: UUID, runner: str, on_unfinished: Callable[[UUID], None]) -> None:
    """Give up the runner's lease. A job without open items has ended; one with some needs `on_unfinished`,
    which is called in the same transaction.
    """
    job = BatchJob.objects.select_for_update().filter(pk=job_id, runner=runner).first()
    if job is None:
        return  # the lease went to somebody else, and with it the decision
    job.runner, job.runner_lease_expires_at = "", None
    unfinished = job.items.filter(status__in=(ItemStatus.QUEUED, ItemStatus.PROCESSING)).exists()
    if not unfinished and not job.ended:
        job.status = JobStatus.COMPLETED if job.successful_items else JobStatus.FAILED
        job.status_reason = ""
        job.completed_at, job.estimated_time_remaining = timezone.now(), timedelta(0)
    job.save(
        update_fields=[
            *("runner", "runner_lease_expires_at", "status", "status_reason"),
            *("completed_at", "estimated_time_remaining", "updated_at"),
        ]
    )
    if unfinished and job.status == JobStatus.PROCESSING:
        on_unfinished(job_id)


def _end_item(item_id: UUID, call_id: UUID, error: GenerationError | None) -> bool:
    return bool(
        BatchItem.objects.filter(pk=item_id, call_id=call_id, status=ItemStatus.PROCESSING).update(
            status=ItemStatus.FAILED if error else ItemStatus.COMPLETED,
            progress=100,
            error_type=error.code() if error else "",
            error_message=str(error) if error else "",
            claimed_by="",
            lease_expires_at=None,
            completed_at=timezone.now(),
        )
    )


def _count(job_id: UUID, error: GenerationError | None, spent_usd: Decimal = ZERO) -> None:
    BatchJob.objects.filter(pk=job_id).update(
        completed_items=F("completed_items") + 1,
        successful_items=F("successful_items") + (0 if error else 1),
        failed_items=F("failed_items") + (1 if error else 0),
        actual_cost_usd=F("actual_cost_usd") + spent_usd,
    )


def _refuse(item_id: UUID, job_id: UUID, call_id: UUID) -> None:
    """End an item whose conversation could not be claimed."""
    error = NotClaimable()
    if _end_item(item_id, call_id, error):
        _count(job_id, error)


def _ours(job_id: UUID, runner: str) -> QuerySet[BatchItem]:
    return BatchItem.objects.filter(job_id=job_id, claimed_by=runner, status=ItemStatus.PROCESSING)
