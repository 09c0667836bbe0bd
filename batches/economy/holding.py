"""What a message batch's row goes through, and with it the items that it holds.

Whoever locks the job's row as well does so first: ending a job locks it, and then touches its message batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from psycopg.types.json import Jsonb

from batches.choices import HOLDING, ItemStatus, JobStatus, MessageBatchStatus
from batches.leases import Work
from batches.models import AT_CLAUDE, BatchItem, BatchJob, MessageBatch
from generation import claims
from generation.answers import RemoteBatch
from generation.endpoint import Endpoint
from generation.errors import GenerationError, RetryLater
from generation.retries import LONGEST_RETRY_AFTER

HAND_OVER = """
UPDATE batches_batchitem AS item
SET message_batch_id = %s, sent = held.sent, submissions = submissions + 1, claimed_by = '', lease_expires_at = NULL
FROM unnest(%s::uuid[], %s::jsonb[]) AS held (id, sent)
WHERE item.id = held.id
"""

LONGEST_BACKOFF = 900.0  # seconds between looks, however often they have failed


@dataclass(frozen=True)
class Prepared:
    """A claimed item with its request, ready to be sent."""

    work: Work
    request: dict[str, Any]
    size: int  # bytes that it takes in a message batch

    @property
    def custom_id(self) -> str:
        """Its name in a message batch: the call id, so that a result is fenced as a live reply is."""
        return self.work.call_id.hex

    @property
    def sent(self) -> dict[str, Any]:
        """What is kept of it until its result comes."""
        template = self.work.draft.template
        return {"request": self.request, "template_version": template.version if template else None}


@transaction.atomic
def write_ahead(
    job: BatchJob, runner: str, target: Endpoint, prepared: Sequence[Prepared]
) -> tuple[MessageBatch, list[Prepared]] | None:
    """Write down a message batch that is about to be sent, and hand its items over to it; with what it holds.

    None when nothing may be sent: the job is no longer processing or `runner`'s, or all items were lost to others.
    """
    if not BatchJob.objects.select_for_update().filter(pk=job.pk, runner=runner, status=JobStatus.PROCESSING).first():
        return None
    ids = [one.work.item_id for one in prepared]
    rows = BatchItem.objects.select_for_update().filter(pk__in=ids, status=ItemStatus.PROCESSING)
    calls = set(rows.values_list("call_id", flat=True))
    held = [one for one in prepared if one.work.call_id in calls]
    if not held:
        return None
    message_batch = MessageBatch.objects.create(
        workspace_id=job.workspace_id,
        job=job,
        requests=len(held),
        limit_key=target.limit_key,
        address=target.address,
        next_look_at=Now(),
        holder=runner,
        lease_expires_at=Now() + timedelta(seconds=settings.BATCH_LEASE_SECONDS),
    )
    _hand_over(message_batch, held)
    return message_batch, held


def _hand_over(message_batch: MessageBatch, held: Sequence[Prepared]) -> None:
    """From leases and claims that end to the message batch, which holds until it is read."""
    ids, sent = [one.work.item_id for one in held], [Jsonb(one.sent) for one in held]
    with connection.cursor() as cursor:
        cursor.execute(HAND_OVER, [message_batch.pk, ids, sent])
    claims.hold([claims.Claim(one.work.draft.pk, one.work.call_id) for one in held])


def created(message_batch: MessageBatch, remote: RemoteBatch) -> bool:
    """Note that Anthropic has it. False when that came too late: its items were given back meanwhile."""
    return _move(
        message_batch,
        (MessageBatchStatus.SUBMITTING,),
        MessageBatchStatus.IN_PROGRESS,
        remote_id=remote.id,
        submitted_at=remote.created_at,
        expires_at=remote.expires_at,
        **_next_look(settings.ECONOMY_POLL_SECONDS),
    )


def seen(message_batch: MessageBatch, remote: RemoteBatch) -> None:
    """Note that it has not ended yet."""
    status = MessageBatchStatus.CANCELING if remote.canceling else MessageBatchStatus(message_batch.status)
    allowed = (MessageBatchStatus.IN_PROGRESS, MessageBatchStatus.CANCELING)
    _move(message_batch, allowed, status, **_next_look(settings.ECONOMY_POLL_SECONDS))


def ended(message_batch: MessageBatch, remote: RemoteBatch) -> None:
    """Note that Claude is done with it: it is to be read. It may have been found again just now."""
    _move(
        message_batch,
        HOLDING,
        MessageBatchStatus.ENDED,
        remote_id=remote.id,
        submitted_at=remote.created_at,
        expires_at=remote.expires_at,
        ended_at=remote.ended_at,
        failed_looks=0,
        last_error="",
        **remote.counts,
    )
    message_batch.refresh_from_db()


def take(message_batch_id: UUID, holder: str) -> MessageBatch | None:
    """Become the one who looks at it; None when somebody is, it is not due, or it has been read."""
    waiting = MessageBatch.objects.filter(pk=message_batch_id, status__in=HOLDING, next_look_at__lte=Now())
    free = waiting.filter(holder="") | waiting.filter(lease_expires_at__lt=Now())
    if not free.update(holder=holder, lease_expires_at=Now() + timedelta(seconds=settings.BATCH_LEASE_SECONDS)):
        return None
    return MessageBatch.objects.select_related("job").get(pk=message_batch_id)


def keep(message_batch_id: UUID, holder: str) -> bool:
    """Keep the lease; False when somebody else has it."""
    ours = MessageBatch.objects.filter(pk=message_batch_id, holder=holder)
    return bool(ours.update(lease_expires_at=Now() + timedelta(seconds=settings.BATCH_LEASE_SECONDS)))


def leave(message_batch_id: UUID, holder: str) -> None:
    """Let others look at it from now on."""
    MessageBatch.objects.filter(pk=message_batch_id, holder=holder).update(holder="", lease_expires_at=None)


def failed(message_batch: MessageBatch, error: GenerationError | str) -> None:
    """Note that a look has failed, and why; the next one comes later each time, or when Claude asks for it."""
    asked = error.retry_after if isinstance(error, RetryLater) else None
    seconds = min(settings.ECONOMY_POLL_SECONDS * 2.0**message_batch.failed_looks, LONGEST_BACKOFF)
    if asked is not None:
        seconds = max(seconds, min(asked, LONGEST_RETRY_AFTER))
    _put_off(message_batch, seconds, last_error=str(error), failed_looks=min(message_batch.failed_looks + 1, 20))


def undecided(message_batch: MessageBatch, why: str) -> None:
    """Note that it cannot be told yet whether Anthropic has it."""
    _put_off(message_batch, settings.ECONOMY_POLL_SECONDS, last_error=why, failed_looks=0)


def _put_off(message_batch: MessageBatch, seconds: float, **values: Any) -> None:
    due = Now() + timedelta(seconds=seconds)
    MessageBatch.objects.filter(pk=message_batch.pk, status__in=HOLDING).update(next_look_at=due, **values)


@transaction.atomic
def not_created(message_batch: MessageBatch, reason: str) -> bool:
    """Give back the items of a message batch that Anthropic never had. False when it has been found meanwhile."""
    job = BatchJob.objects.select_for_update().get(pk=message_batch.job_id)
    given_up = _move(
        message_batch,
        (MessageBatchStatus.SUBMITTING,),
        MessageBatchStatus.NOT_CREATED,
        last_error=reason,
        holder="",
        lease_expires_at=None,
    )
    if given_up:
        held = BatchItem.objects.filter(AT_CLAUDE, message_batch=message_batch)
        _give_back(job, held, submissions=F("submissions") - 1)
    return given_up


@transaction.atomic
def give_back(job_id: UUID, works: Sequence[Work]) -> None:
    """Put claimed items that were not sent back to the waiting ones."""
    job = BatchJob.objects.select_for_update().get(pk=job_id)
    ids, calls = [work.item_id for work in works], [work.call_id for work in works]
    _give_back(job, BatchItem.objects.filter(pk__in=ids, call_id__in=calls, status=ItemStatus.PROCESSING))


def _give_back(job: BatchJob, items: QuerySet[BatchItem], **values: Any) -> None:
    pairs = items.values_list("conversation_id", "call_id")
    held = [claims.Claim(conversation, call) for conversation, call in pairs if call]
    items.update(attempts=F("attempts") - 1, **free(job), **values)
    claims.give_back_all(held)


def free(job: BatchJob) -> dict[str, Any]:
    """What an item is that nobody works on any more: waiting, or cancelled with its job, whose row must be locked."""
    return {
        "status": ItemStatus.CANCELLED if job.ended else ItemStatus.QUEUED,
        "completed_at": timezone.now() if job.ended else None,
        "message_batch": None,
        "sent": None,
        "claimed_by": "",
        "lease_expires_at": None,
    }


def _move(
    message_batch: MessageBatch, allowed: Sequence[MessageBatchStatus], status: MessageBatchStatus, **values: Any
) -> bool:
    rows = MessageBatch.objects.filter(pk=message_batch.pk, status__in=allowed)
    return bool(rows.update(status=status, **values))


def _next_look(seconds: float) -> dict[str, Any]:
    """A look that went well."""
    due = Now() + timedelta(seconds=seconds)
    return {"next_look_at": due, "failed_looks": 0, "last_error": ""}
