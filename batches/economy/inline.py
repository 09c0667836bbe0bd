"""Does for one economy job, in this process, what workers and their reaper do: sends, looks, collects."""

from uuid import UUID

from batches import control, engine
from batches.choices import HOLDING, JobStatus
from batches.economy import collecting, waking
from batches.models import BatchJob, MessageBatch


def step(job_id: UUID) -> None:
    """Do all that is due now."""
    if control.deserted(job_id):
        engine.run_slice(job_id, on_unfinished=control.unreserve)
    for message_batch_id in list(waking.due().filter(job_id=job_id).values_list("pk", flat=True)):
        collecting.collect(message_batch_id, on_unfinished=control.unreserve)


def unfinished(job_id: UUID) -> bool:
    """Whether anything will be due: also when the job was stopped, until the last result is saved. Not while paused."""
    job = BatchJob.objects.get(pk=job_id)
    held = MessageBatch.objects.filter(job_id=job_id, status__in=HOLDING).exists()
    return job.status == JobStatus.PROCESSING or (job.ended and held)
