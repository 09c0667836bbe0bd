"""The doors from the task queue: an id in, one call out."""

from uuid import UUID

from batches import control, engine
from batches.economy import collecting
from batches.stopping import STOPPING


def run_slice(job_id: str) -> None:
    engine.run_slice(UUID(job_id), on_unfinished=_continue, stopping=STOPPING.is_set)


def collect(message_batch_id: str) -> None:
    collecting.collect(UUID(message_batch_id), on_unfinished=_continue, stopping=STOPPING.is_set)


def _continue(job_id: UUID) -> None:
    """Enqueue the next slice. A worker that is to end leaves that to the others, which find the job without a
    runner: queued here, it might be fetched by this very worker once more and wait for its redelivery."""
    if not STOPPING.is_set():
        control.enqueue(job_id)
