"""What an end means for the job: of one conversation, and of a message batch."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from batches import control, leases
from batches.choices import HOLDING, ErrorHandling, MessageBatchStatus
from batches.economy import waiting
from batches.models import BatchJob, MessageBatch
from generation.errors import FixConfiguration, GenerationError, StopEverything


def judge(job: BatchJob, error: GenerationError) -> bool:
    """Pause or stop the job when going on would be in vain; whether it was.

    As in live delivery, but how often Claude was unavailable is not counted: a look that fails is only put off.
    """
    if isinstance(error, FixConfiguration | StopEverything):
        return control.suspend(job.pk, str(error))
    if job.error_handling == ErrorHandling.STOP:
        return control.stop(job.pk, str(error))
    return False


@transaction.atomic
def close(
    message_batch: MessageBatch, status: MessageBatchStatus, on_unfinished: Callable[[UUID], None], **values: object
) -> None:
    """Write that a message batch holds nothing any more. Its job has ended with it, or goes on with what is left:
    `on_unfinished` is called in the same transaction.
    """
    job = BatchJob.objects.select_for_update().get(pk=message_batch.job_id)
    held = MessageBatch.objects.filter(pk=message_batch.pk, status__in=HOLDING)
    held.update(status=status, holder="", lease_expires_at=None, **values)
    if not leases.end_if_done(job):
        waiting.tell(job.pk)
        if leases.has_work(job) and not job.has_runner:
            on_unfinished(job.pk)
