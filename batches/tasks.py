"""The door from the task queue: an id in, one call out."""

from uuid import UUID

from batches import control, engine, stopping


def run_slice(job_id: str) -> None:
    engine.run_slice(UUID(job_id), on_unfinished=control.enqueue, stopping=stopping.told)
