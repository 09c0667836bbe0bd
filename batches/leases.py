"""Who works on what: the runner's lease on a job, and the leases on its items.

A job has one runner at a time. Its items are claimed in order with SKIP LOCKED, each under a new call id; an item
whose lease ran out (its worker died, or stood still) is claimed again like a waiting one. An end counts only with
the call id of the present claim, so a late or duplicate worker changes nothing. Leases are measured by PostgreSQL's
clock: those of machines differ, and one that goes wrong would have live work taken away, and paid for twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from batches import notices
from batches.choices import OPEN, ItemStatus, JobStatus
from batches.models import AT_CLAUDE, BatchItem, BatchJob
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

# Keeps the lease, writes the pace and what is waited for, and tells what the slice must know.
LOOK = """
UPDATE batches_batchjob
SET status_reason = CASE WHEN status = 'processing' THEN %(waiting_for)s ELSE status_reason END,
    runner_lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second',
    seconds_per_item = coalesce(%(pace)s::float, seconds_per_item)
WHERE id = %(job)s AND runner = %(runner)s
RETURNING status, priority, concurrent_processing, budget_usd, total_items - completed_items, (
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
    message_batch_id = NULL,
    lease_expires_at = clock_timestamp() + %(lease)s * interval '1 second',
    started_at = coalesce(started_at, clock_timestamp())
FROM (
    SELECT id, call_id AS former FROM batches_batchitem
    WHERE job_id = %(job)s
      AND (status = 'queued' OR status = 'processing' AND lease_expires_at < clock_timestamp())
      AND EXISTS (SELECT FROM batches_batchjob WHERE id = %(job)s AND runner = %(runner)s AND status = 'processing')
    ORDER BY position LIMIT %(wanted)s FOR UPDATE SKIP LOCKED
) AS free
WHERE item.id = free.id
RETURNING item.id, item.conversation_id, item.call_id, free.former, item.attempts - item.submissions
"""

# The item alone: a query with the model's order would join its job, and lock that as well.
HOLD_ITEM = """
SELECT 1 FROM batches_batchitem WHERE id = %s AND call_id = %s AND status = 'processing' FOR NO KEY UPDATE
"""

HELD_BY_OTHERS = """
SELECT count(*) FROM batches_batchitem
WHERE job_id = %s AND status = 'processing' AND claimed_by <> %s AND lease_expires_at > clock_timestamp()
"""

KEEP_ITEMS = """
UPDATE batches_batchitem AS item SET lease_expires_at = clock_timestamp() + %s * interval '1 second'
FROM (
    SELECT id FROM batches_batchitem
    WHERE id = ANY(%s::uuid[]) AND call_id = ANY(%s::uuid[]) AND status = 'processing'
    FOR NO KEY UPDATE SKIP LOCKED
) AS held
WHERE item.id = held.id
"""


@dataclass(frozen=True)
class Look:
    """What a job's runner sees when it looks up."""

    status: str
    priority: str
    concurrency: int
    budget_usd: Decimal | None
    unfinished: int  # items not ended, those in flight included
    waiting: int  # items that can be claimed; counted up to 1,000


@dataclass(frozen=True)
class Work(Orderer):
    """One claimed item, with its draft loaded. Its end is written with the conversation's, fenced by the call id.

    It is written last: the job's counters follow it, and the job's row, which all items share, is then locked for a
    moment only.
    """

    item_id: UUID
    job_id: UUID
    call_id: UUID
    draft: Conversation

    def holds(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(HOLD_ITEM, [self.item_id, self.call_id])
            return cursor.fetchone() is not None

    def end(self, error: GenerationError | None, spent_usd: Decimal) -> None:
        _end_item(self.item_id, self.call_id, error, spent_usd)


def take_job(job_id: UUID, runner: str) -> bool:
    """Become the job's runner. False when it has one, or is not processing: a duplicate delivery, for example."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_JOB, {"job": job_id, "runner": runner, "lease": settings.BATCH_LEASE_SECONDS})
        return bool(cursor.rowcount)


def look(job_id: UUID, runner: str, *, waiting_for: str = "", pace: float | None = None) -> Look | None:
    """Keep the runner's lease and see how the job stands; None when the lease went to somebody else.

    `waiting_for` is what holds the runner up at the moment, in words for the job's page; `pace` its seconds per item.
    """
    with connection.cursor() as cursor:
        values = {"job": job_id, "runner": runner, "lease": settings.BATCH_LEASE_SECONDS}
        cursor.execute(LOOK, {**values, "waiting_for": waiting_for, "pace": pace})
        row = cursor.fetchone()
    return Look(*row) if row else None


def held_by_others(job_id: UUID, runner: str) -> int:
    """How many items a former runner still has in flight: one that is to end hands its job over before they have."""
    with connection.cursor() as cursor:
        cursor.execute(HELD_BY_OTHERS, [job_id, runner])
        return int(cursor.fetchone()[0])


@dataclass(frozen=True)
class Claimed:
    works: list[Work]
    refused: list[GenerationError]  # of items that ended here, since they cannot be worked on


def claim(job: BatchJob, runner: str, wanted: int, known: Drafts) -> Claimed:
    """Claim up to `wanted` items and their conversations; nothing unless the job is processing and `runner`'s.

    `known` keeps templates and sources between calls. An item that was begun too often ends here, and so does one
    whose conversation is no draft any more: each in a transaction of its own, so that locks are taken in one order.
    """
    free, taken = _claim_rows(job, runner, wanted)
    drafts = known.load(taken)
    works, refused = [], []
    for item, conversation, call, _former, in_vain in free:
        if conversation not in drafts:
            refused.append(refuse(item, call))
        elif in_vain > settings.BATCH_ITEM_CLAIMS:
            refused.append(_abandon(Work(item, job.pk, call, drafts[conversation])))
        else:
            works.append(Work(item, job.pk, call, drafts[conversation]))
    return Claimed(works, refused)


@transaction.atomic
def _claim_rows(job: BatchJob, runner: str, wanted: int) -> tuple[list[tuple[Any, ...]], set[UUID]]:
    """The rows of claimed items, and the ids of the conversations that could be claimed with them."""
    with connection.cursor() as cursor:
        values = {"job": job.pk, "runner": runner, "lease": settings.BATCH_LEASE_SECONDS, "wanted": wanted}
        cursor.execute(CLAIM_ITEMS, values)
        rows = cursor.fetchall()
    if not rows:
        return [], set()
    wanted_claims = [claims.Claim(conversation, call, former) for _item, conversation, call, former, _in_vain in rows]
    return rows, claims.take(wanted_claims)


def heartbeat(works: Iterable[Work]) -> None:
    """Keep the leases of items that are being worked on, and the claims on their conversations.

    One that is being saved at this moment is passed over: the runner's own lease must not wait for that.
    """
    works = list(works)
    with connection.cursor() as cursor:
        calls = [work.call_id for work in works]
        cursor.execute(KEEP_ITEMS, [settings.BATCH_LEASE_SECONDS, [work.item_id for work in works], calls])
    claims.keep([claims.Claim(work.draft.pk, work.call_id) for work in works])


@transaction.atomic
def give_back(work: Work, *, requests: int, spent_usd: Decimal) -> None:
    """Put an interrupted item back to the waiting ones. It counts as begun only if `requests` were sent in vain.

    `spent_usd` is what replies that could not be used have cost all the same.
    """
    job = BatchJob.objects.select_for_update().get(pk=work.job_id)  # it must not end while we look
    held = _held(work.item_id, work.call_id).update(
        status=ItemStatus.CANCELLED if job.ended else ItemStatus.QUEUED,
        claimed_by="",
        lease_expires_at=None,
        attempts=F("attempts") - (0 if requests else 1),
        cost_usd=F("cost_usd") + spent_usd,
    )
    if held:
        claims.give_back(work.draft.id, work.call_id, spent_usd)


def put_back(works: Iterable[Work]) -> None:
    """Put back items that were claimed and not begun."""
    for work in works:
        give_back(work, requests=0, spent_usd=ZERO)


@transaction.atomic
def leave_job(
    job_id: UUID, runner: str, on_unfinished: Callable[[UUID], None], *, again_in: float | None = None
) -> None:
    """Give up the runner's lease. A job without open items has ended; one with items to begin needs `on_unfinished`,
    which is called in the same transaction. `again_in` are the seconds in which that would be in vain: then the job is
    left to the reaper.
    """
    job = BatchJob.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        return
    if job.runner != runner:  # it went to somebody else, who may have left it before our last calls had ended
        end_if_done(job)
        return
    job.runner = ""
    job.runner_lease_expires_at = None if again_in is None else Now() + timedelta(seconds=again_in)
    job.save(update_fields=["runner", "runner_lease_expires_at", "updated_at"])
    if not end_if_done(job) and again_in is None and has_work(job):
        on_unfinished(job_id)


def end_if_done(job: BatchJob) -> bool:
    """End a job without open items, whose row must be locked. True when it has ended, now or before."""
    if not job.ended and not job.items.filter(status__in=OPEN).exists():
        job.status = JobStatus.COMPLETED if job.successful_items else JobStatus.FAILED
        job.status_reason = ""
        job.completed_at = timezone.now()
        job.save(update_fields=["status", "status_reason", "completed_at", "updated_at"])
        notices.order(job.pk, JobStatus(job.status))
    return job.ended


def has_work(job: BatchJob) -> bool:
    """Whether a runner is needed: not for a paused job, nor for what only waits for message batches."""
    open_items = job.items.filter(status__in=OPEN).exclude(AT_CLAUDE)
    return job.status == JobStatus.PROCESSING and open_items.exists()


def _held(item_id: UUID, call_id: UUID) -> QuerySet[BatchItem]:
    """The item, as long as the call id is that of its present claim."""
    return BatchItem.objects.filter(pk=item_id, call_id=call_id, status=ItemStatus.PROCESSING)


def _end_item(item_id: UUID, call_id: UUID, error: GenerationError | None, spent_usd: Decimal = ZERO) -> None:
    _held(item_id, call_id).update(
        status=ItemStatus.FAILED if error else ItemStatus.COMPLETED,
        progress=100,
        error_type=error.code() if error else "",
        error_message=str(error) if error else "",
        cost_usd=F("cost_usd") + spent_usd,
        claimed_by="",
        lease_expires_at=None,
        sent=None,
        completed_at=timezone.now(),
    )


def refuse(item_id: UUID, call_id: UUID) -> GenerationError:
    """End an item whose conversation could not be claimed."""
    error = NotClaimable()
    _end_item(item_id, call_id, error)
    return error


def _abandon(work: Work) -> GenerationError:
    """End an item that was begun too often."""
    error = Abandoned()
    saving.fail(work.draft, work.call_id, error, orderer=work)
    return error
