"""Doors from the task queue: ids in, one call out."""

from uuid import UUID

from batches import control, engine
from batches.stopping import STOPPING


def run_slice(job_id: str) -> None:
    engine.run_slice(UUID(job_id), on_unfinished=control.enqueue, stopping=STOPPING.is_set)
