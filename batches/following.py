"""Follows a batch from the command line: runs it here if asked to, and shows how far it is."""

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from uuid import UUID

from django.db import connection, connections
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from batches import control, engine, progress
from batches.choices import Delivery, JobStatus
from batches.economy import inline as economy
from batches.economy import waiting
from batches.models import BatchJob

SECONDS = 0.3  # between looks at the job
OVERDUE = 60.0  # seconds after which nobody seems to look at a message batch


class InlineWorker:
    """Runs a job's slices in a thread of this process, one after the other."""

    def __init__(self, job_id: UUID) -> None:
        self.error: BaseException | None = None
        self._job_id = job_id
        work = partial(copy_context().run, self._work)  # in the caller's scope
        self._thread = threading.Thread(target=work, name="inline-worker", daemon=True)
        self._thread.start()

    @property
    def working(self) -> bool:
        return self._thread.is_alive()

    def _work(self) -> None:
        try:
            if BatchJob.objects.get(pk=self._job_id).delivery == Delivery.ECONOMY:
                self._deliver_economically()
            else:
                self._deliver_live()
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()

    def _deliver_live(self) -> None:
        while BatchJob.objects.filter(pk=self._job_id, status=JobStatus.PROCESSING).exists():
            engine.run_slice(self._job_id, on_unfinished=control.reserve)
            # Another runner may still hold the lease: look again when it may have ended.
            time.sleep(0 if self._ended() else SECONDS)

    def _deliver_economically(self) -> None:
        control.unreserve(self._job_id)
        while economy.unfinished(self._job_id):
            economy.step(self._job_id)
            time.sleep(0 if self._ended() else SECONDS)

    def _ended(self) -> bool:
        return BatchJob.objects.get(pk=self._job_id).ended


def follow(job: BatchJob, *, inline: bool, console: Console) -> BatchJob:
    """Show the job's progress until it ends or is paused, and return it as it is then.

    With `inline`, run it here as well. Ctrl-C pauses the job and lets calls in flight finish. Raises what broke
    the inline worker.
    """
    worker = InlineWorker(job.pk) if inline else None
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("${task.fields[cost]:.2f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    ) as bars:
        bar = bars.add_task("Starting", total=job.total_items, cost=0.0)
        try:
            _watch(job, worker, lambda: _show(job, bars, bar))
        except KeyboardInterrupt:
            connection.close()  # it may have been broken off in the middle of a statement
            control.interrupt(job.pk, "Paused from the command line.")
            bars.update(bar, description="Pausing: calls in flight finish")
            _watch(job, worker, lambda: _show(job, bars, bar))
    if worker and worker.error:
        raise worker.error
    return job


def _watch(job: BatchJob, worker: InlineWorker | None, show: Callable[[], None]) -> None:
    while True:
        rested = not worker.working if worker else _at_rest(job)
        job.refresh_from_db()
        show()
        if rested:
            return
        time.sleep(SECONDS)


def _at_rest(job: BatchJob) -> bool:
    return not job.has_runner and (job.ended or job.status == JobStatus.PAUSED)


def _show(job: BatchJob, bars: Progress, bar: TaskID) -> None:
    bars.update(bar, completed=job.completed_items, description=_describe(job), cost=float(job.actual_cost_usd))


def _describe(job: BatchJob) -> str:
    if job.status in (JobStatus.QUEUED, JobStatus.PROCESSING) and not job.has_runner:
        return _wait_for_claude(job) or f"{progress.NO_WORKER} (start one with: manage.py run_worker)"
    return progress.step(job).rstrip(".")


def _wait_for_claude(job: BatchJob) -> str:
    """“2 message batches … are at Claude … Next look in 40 s.” Empty when none is, or no worker looks at it."""
    seconds = waiting.next_look(job.pk)
    if seconds is None or seconds < -OVERDUE:
        return ""
    return f"{waiting.in_words(job.pk)} Next look in {max(seconds, 0):.0f} s."
