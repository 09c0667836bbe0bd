"""What every worker sees to every few seconds: deserted batches, the log's schedule, and what it is at itself.

In a thread: PostgreSQL may take its time to answer, or to come back, and signals must not wait for that.
"""

import logging
import socket
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil
from django.db import close_old_connections
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from batches import control
from batches.choices import ItemStatus, JobStatus
from batches.models import BatchJob
from convgen.tenancy import EVERY, workspace_scope
from generation import retention

SECONDS = 5.0  # between rounds; fewer when a lease ends before
JUST_AFTER = 0.1  # seconds; a lease that was not renewed has ended by then

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AtWork:
    """A batch that has a runner in this worker."""

    batch: str  # its id
    process: int  # the pid that runs its slice
    in_flight: int  # items that it has begun and not ended


class Tending:
    """`last` is the moment of the last round that went well, on the monotonic clock."""

    def __init__(self, sentinel: int) -> None:
        self.last: float | None = None
        self.last_at: datetime | None = None
        self.at_work: list[AtWork] = []
        self._sentinel = sentinel
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tending", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()

    def _work(self) -> None:
        while not self._over.is_set():
            self._over.wait(self._round())

    def _round(self) -> float:
        """Look after everything once; the seconds until the next time."""
        try:
            control.reap()
            retention.ensure_scheduled()
            self.at_work = at_work(_children(self._sentinel))
            self.last, self.last_at = time.monotonic(), timezone.now()
            return min(SECONDS, until_a_lease_ends() + JUST_AFTER)
        except Exception:  # of whatever kind: a thread that ended would leave a worker that looks healthy for a while
            logger.exception("Looking after batches and the schedule failed; it is tried again in %g s.", SECONDS)
            return SECONDS
        finally:
            close_old_connections()


@workspace_scope(EVERY)
def until_a_lease_ends() -> float:
    """Seconds until the first of the runners' leases ends, unless it is renewed.

    What waits for message batches alone needs no runner: a dead one's lease may have ended long ago.
    """
    running = BatchJob.objects.filter(status=JobStatus.PROCESSING, runner_lease_expires_at__gt=Now())
    left: timedelta | None = running.aggregate(left=Min(F("runner_lease_expires_at")) - Now())["left"]
    return max(left.total_seconds(), 0.0) if left else SECONDS


@workspace_scope(EVERY)
def at_work(processes: set[int]) -> list[AtWork]:
    """The batches whose runner is one of these processes of this machine."""
    here = BatchJob.objects.filter(runner__startswith=f"{socket.gethostname()}:", runner_lease_expires_at__gt=Now())
    begun = Count("items", filter=Q(items__status=ItemStatus.PROCESSING, items__claimed_by=F("runner")))
    found = here.annotate(begun=begun).values_list("pk", "runner", "begun")
    return [AtWork(str(job), pid, number) for job, runner, number in found if (pid := _pid_of(runner)) in processes]


def _pid_of(runner: str) -> int:
    """Of a runner's name, `host:pid:random`."""
    return int(runner.rsplit(":", 2)[1])


def _children(pid: int) -> set[int]:
    try:
        return {child.pid for child in psutil.Process(pid).children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()
