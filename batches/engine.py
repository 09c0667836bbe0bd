"""The door to a job's work: one slice of it, however its requests travel.

A slice runs under the job's one lease, and hands over to its continuation when it leaves work behind.
"""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError

from batches import control, leases, live
from batches.choices import Delivery
from batches.economy import submitting
from batches.models import BatchJob
from convgen.route import route
from convgen.tenancy import EVERY, workspace_scope
from generation.endpoint import endpoint

# What a slice does, by how the job's requests travel. It may say after how many seconds to look again.
SLICES: dict[Delivery, Callable[..., Coroutine[Any, Any, float | None]]] = {
    Delivery.LIVE: live.run,
    Delivery.ECONOMY: submitting.run,
}


def run_slice(
    job_id: UUID, *, on_unfinished: Callable[[UUID], None], stopping: Callable[[], bool] = lambda: False
) -> None:
    """Run a job for one slice, in its workspace's scope.

    `on_unfinished` is called in the transaction that ends a slice with work left; `stopping` tells that the
    process is to end: the job is given up then at once, and calls in flight finish after that. Harmless when the
    job already has a runner, or is not processing. What keeps a slice from running at all pauses the job with the
    reason, and is raised.
    """
    with workspace_scope(EVERY):
        job = BatchJob.objects.filter(pk=job_id).first()
    if job:
        with workspace_scope(job.workspace_id), route(f"batch {job.pk}"):
            _run_in_scope(job, on_unfinished, stopping)


def _run_in_scope(job: BatchJob, on_unfinished: Callable[[UUID], None], stopping: Callable[[], bool]) -> None:
    runner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if not leases.take_job(job.pk, runner):
        return
    try:
        again_in = asyncio.run(SLICES[Delivery(job.delivery)](job, runner, endpoint(), on_unfinished, stopping))
    except (OperationalError, InterfaceError):
        raise  # the database's trouble: the reaper revives the job once the lease has ended
    except Exception as error:
        control.suspend(job.pk, f"The batch could not be run: {error}")
        leases.leave_job(job.pk, runner, on_unfinished)
        raise
    leases.leave_job(job.pk, runner, on_unfinished, again_in=again_in)
    control.dispatch()  # if the job has ended, the next one may begin
