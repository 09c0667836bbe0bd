"""What people, and the engine, do to a batch: start, pause, resume, cancel, stop, retry what failed.

Each is a move of `batches/transitions.py` and a conditional UPDATE: of two callers one wins, and the other is told so
by a False. Leases are measured by PostgreSQL's clock: those of machines differ.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from django_q.tasks import async_task

from batches import notices
from batches.choices import ENDED, HOLDING, OPEN, Delivery, ItemStatus, JobStatus, Priority
from batches.economy import waking
from batches.models import AT_CLAUDE, BatchItem, BatchJob, MessageBatch
from batches.transitions import JOB
from conversations.choices import Status
from conversations.models import Conversation
from convgen.tenancy import EVERY, workspace_scope
from generation import claims
from generation.errors import Abandoned

RUN_SLICE = "batches.tasks.run_slice"
PRIORITIES = (Priority.HIGH, Priority.NORMAL, Priority.LOW)


def enqueue(job_id: UUID) -> None:
    """Ask a worker to run a slice; inside a transaction, the request is undone with it.

    Until its reservation ends, the reaper does not ask again.
    """
    reserve(job_id)
    async_task(RUN_SLICE, str(job_id))


def reserve(job_id: UUID) -> None:
    """Give a job a lease without a runner: somebody is about to run it."""
    expires = Now() + timedelta(seconds=settings.BATCH_LEASE_SECONDS)
    BatchJob.objects.filter(pk=job_id, runner="").update(runner_lease_expires_at=expires)


def unreserve(job_id: UUID) -> None:
    """Let whoever asks first run it, at once."""
    BatchJob.objects.filter(pk=job_id, runner="").update(runner_lease_expires_at=None)


@workspace_scope(EVERY)
@transaction.atomic
def dispatch() -> None:
    """Begin queued jobs of all workspaces, by priority and then by age: of those with live delivery, up to
    `MAX_RUNNING_BATCHES` at a time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('batches:dispatch', 0))")
    live = Q(delivery=Delivery.LIVE)  # one with economy delivery takes no worker while it waits for Claude
    room = settings.MAX_RUNNING_BATCHES - BatchJob.objects.filter(live, status=JobStatus.PROCESSING).count()
    queued = _queue().values_list("pk", flat=True)
    for job_id in [*queued.exclude(live), *queued.filter(live)[: max(room, 0)]]:
        if start(job_id):
            enqueue(job_id)


def start(job_id: UUID) -> bool:
    """`queued → processing`; the caller sees to it that a slice runs."""
    started = _move(job_id, (JobStatus.QUEUED,), JobStatus.PROCESSING, started_at=timezone.now())
    if started:
        reserve(job_id)
    return started


def pause(job_id: UUID, reason: str = "") -> bool:
    """Begin no more calls; those in flight finish and are kept. False unless the job is processing."""
    return _move(job_id, (JobStatus.PROCESSING,), JobStatus.PAUSED, status_reason=reason)


@transaction.atomic
def suspend(job_id: UUID, reason: str) -> bool:
    """Pause a job that cannot go on by itself, and tell whoever started it. False unless it is processing."""
    suspended = pause(job_id, reason)
    if suspended:
        notices.order(job_id, JobStatus.PAUSED)
    return suspended


@transaction.atomic
def resume(job_id: UUID) -> bool:
    """Go on with what is left. False unless the job is paused."""
    resumed = _move(job_id, (JobStatus.PAUSED,), JobStatus.PROCESSING, status_reason="")
    if resumed:
        enqueue(job_id)
    return resumed


def interrupt(job_id: UUID, reason: str) -> bool:
    """Pause a job that is processing, or cancel one that has not begun: nothing is lost by ending that.

    False when it is paused or has ended already; then nothing is changed.
    """
    return pause(job_id, reason) or _end(job_id, JobStatus.CANCELLED, "", allowed=(JobStatus.QUEUED,))


def cancel(job_id: UUID) -> bool:
    """End the job; calls in flight finish and are kept. False when it has ended already."""
    return _end(job_id, JobStatus.CANCELLED, "")


@transaction.atomic
def stop(job_id: UUID, reason: str) -> bool:
    """End the job as failed, before its items are through. False when it has ended already."""
    stopped = _end(job_id, JobStatus.FAILED, reason)
    if stopped:
        notices.order(job_id, JobStatus.FAILED)
    return stopped


@transaction.atomic
def retry_failed(job_id: UUID) -> int:
    """Queue the failed items of a job that has not ended once more, and say how many.

    Items whose conversation another batch is at are left out. Those of an ended job are retried by a new batch over
    failed conversations.
    """
    job = BatchJob.objects.select_for_update().get(pk=job_id)
    if job.ended:
        return 0
    elsewhere = BatchItem.objects.filter(status__in=OPEN).values("conversation")
    failed = job.items.filter(status=ItemStatus.FAILED).exclude(conversation__in=elsewhere)
    return failed.update(
        status=ItemStatus.QUEUED,
        progress=0,
        attempts=0,
        submissions=0,
        error_type="",
        error_message="",
        completed_at=None,
    )


@workspace_scope(EVERY)
def reap() -> None:
    """Put right what a dead worker left behind. Every worker does so every few seconds."""
    for job_id in list(_deserted().values_list("pk", flat=True)):
        _revive(job_id)
    for item in _orphans():
        _free(item)
    claims.expire()
    waking.wake()
    dispatch()


@transaction.atomic
def _revive(job_id: UUID) -> None:
    """Take the job from its dead runner and enqueue it; of several reapers, one does."""
    if BatchJob.objects.select_for_update(skip_locked=True).filter(pk__in=_deserted().filter(pk=job_id)).exists():
        BatchJob.objects.filter(pk=job_id).update(runner="")
        enqueue(job_id)


@transaction.atomic
def _end(job_id: UUID, status: JobStatus, reason: str, *, allowed: tuple[JobStatus, ...] = ()) -> bool:
    moved = _move(job_id, allowed or JOB.before(status), status, status_reason=reason, completed_at=timezone.now())
    if moved:
        waiting = BatchItem.objects.filter(job_id=job_id, status=ItemStatus.QUEUED)
        waiting.update(status=ItemStatus.CANCELLED, completed_at=timezone.now())
        # Whoever looks at them next has Anthropic cancel them.
        MessageBatch.objects.filter(job_id=job_id, status__in=HOLDING).update(next_look_at=timezone.now())
        # One that is being saved at this moment is locked, and waits for the job's row: it is left to the reaper.
        for item in _orphans().filter(job_id=job_id).select_for_update(skip_locked=True, of=("self",)):
            _free(item)
    return moved


def _move(job_id: UUID, allowed: tuple[JobStatus, ...], status: JobStatus, **values: object) -> bool:
    jobs = BatchJob.objects.filter(pk=job_id, status__in=allowed)
    return bool(jobs.update(status=status, updated_at=timezone.now(), **values))


def _queue() -> QuerySet[BatchJob]:
    ranks = [When(priority=priority, then=Value(rank)) for rank, priority in enumerate(PRIORITIES)]
    rank = Case(*ranks, output_field=IntegerField())
    return BatchJob.objects.filter(status=JobStatus.QUEUED).order_by(rank, "created_at", "pk")


def _deserted() -> QuerySet[BatchJob]:
    """Processing jobs that have no runner, or whose runner's lease ran out. What waits for its message batches alone
    needs none.
    """
    of_job = {"job": OuterRef("pk")}
    waits = Exists(MessageBatch.objects.filter(**of_job, status__in=HOLDING))
    work = Exists(BatchItem.objects.filter(**of_job, status__in=OPEN).exclude(AT_CLAUDE))
    return BatchJob.objects.filter(status=JobStatus.PROCESSING).filter(
        Q(runner_lease_expires_at__isnull=True) | Q(runner_lease_expires_at__lt=Now()), work | ~waits
    )


def deserted(job_id: UUID) -> bool:
    """Whether a job needs somebody to run it."""
    return _deserted().filter(pk=job_id).exists()


def _orphans() -> QuerySet[BatchItem]:
    """Items of ended jobs that nobody works on any more, although they never ended."""
    return BatchItem.objects.filter(status=ItemStatus.PROCESSING, lease_expires_at__lt=Now(), job__status__in=ENDED)


@transaction.atomic
def _free(item: BatchItem) -> None:
    """End an orphan: cancelled, and its conversation free to be generated again."""
    held = BatchItem.objects.filter(pk=item.pk, call_id=item.call_id, status__in=OPEN, lease_expires_at__lt=Now())
    if held.update(status=ItemStatus.CANCELLED, claimed_by="", completed_at=timezone.now()):
        Conversation.objects.filter(pk=item.conversation_id, claim=item.call_id, status=Status.GENERATING).update(
            status=Status.FAILED,
            failure_type=Abandoned.code(),
            failure_message="Its batch was ended while it was being written. Generate it again.",
            claim=None,
            claim_expires_at=None,
            updated_at=timezone.now(),
        )
