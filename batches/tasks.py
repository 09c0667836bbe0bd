"""The doors from the task queue: an id in, one call out."""

from uuid import UUID

from batches import control, engine, notices
from batches.models import BatchJob
from batches.stopping import STOPPING
from convgen.tenancy import EVERY, workspace_scope


def run_slice(job_id: str) -> None:
    engine.run_slice(UUID(job_id), on_unfinished=_continue, stopping=STOPPING.is_set)


def _continue(job_id: UUID) -> None:
    """Enqueue the next slice. A worker that is to end leaves that to the others, which find the job without a
    runner: queued here, it might be fetched by this very worker once more and wait for its redelivery."""
    if not STOPPING.is_set():
        control.enqueue(job_id)


@workspace_scope(EVERY)
def tell_starter(job_id: str) -> None:
    """Write to whoever started the job. What the mail server refuses is kept with its error under *Failed tasks*."""
    job = BatchJob.objects.select_related("created_by").filter(pk=job_id).first()
    if job:  # it may have been deleted meanwhile
        notices.send(job)
