"""The doors from the task queue: an id in, one call out."""

from uuid import UUID

from batches import control, engine, notices, stopping
from batches.economy import collecting
from batches.models import BatchJob
from convgen.tenancy import EVERY, workspace_scope


def run_slice(job_id: str) -> None:
    engine.run_slice(UUID(job_id), on_unfinished=control.enqueue, stopping=stopping.told)


def collect(message_batch_id: str) -> None:
    collecting.collect(UUID(message_batch_id), on_unfinished=control.enqueue, stopping=stopping.told)


@workspace_scope(EVERY)
def tell_starter(job_id: str, status: str) -> None:
    """Write to whoever started the job that it has come to `status`, unless it has gone on since.

    What the mail server refuses is kept with its error under *Failed tasks*.
    """
    job = BatchJob.objects.select_related("created_by").filter(pk=job_id, status=status).first()
    if job:  # it may have been deleted meanwhile
        notices.send(job)
