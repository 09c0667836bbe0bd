"""The worker: runs batches and scheduled tasks until it is told to stop.

The django-q2 cluster runs in a session of its own, below a process that only passes signals on. A signal to the
process group (Ctrl-C, a process manager) therefore reaches the cluster's first process alone, and calls in flight
can finish: it tells the slices, then stops the cluster. If either of the two is killed, the other ends the rest.
"""

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connections

from batches import control
from batches.stopping import STOPPING
from convgen.processes import WORKER, registered
from generation import claude, retention

CHECK_SECONDS = 0.2
TEND_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Runs batches and scheduled tasks. SIGTERM or Ctrl-C lets calls in flight finish."

    def handle(self, **options: Any) -> None:
        claude.preload()  # once here, and not in every worker process
        connections.close_all()  # a connection must not be shared over the fork
        parent = os.getpid()
        child = os.fork()
        if child:
            sys.exit(_supervise(child))
        os.setsid()
        with registered(WORKER):
            code = _run_cluster(parent)
        sys.exit(code)


def _supervise(child: int) -> int:
    """Pass signals on to the cluster until it ends; its exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: _tell(child, received))
    _pid, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # if it was killed, what it left behind goes too
    return os.waitstatus_to_exitcode(status)


def _tell(child: int, _received: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGTERM)


def _run_cluster(parent: int) -> int:
    from django_q.cluster import Cluster

    cluster = Cluster()
    cluster.start()
    # In place of django-q2's own handlers, which join a process from inside a signal (its issue 346).
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: told.append(received))
    tend_at = 0.0
    while not told and os.getppid() == parent and cluster.sentinel.is_alive():
        if time.monotonic() >= tend_at:
            _tend()
            tend_at = time.monotonic() + TEND_SECONDS
        time.sleep(CHECK_SECONDS)
    died = not cluster.sentinel.is_alive()
    STOPPING.set()
    cluster.stop()
    return 1 if died else 0  # a process manager must see that it has to start us again


def _tend() -> None:
    """Revive deserted batches, and have the log maintained daily."""
    try:
        control.reap()
        retention.ensure_scheduled()
    except DatabaseError:
        logger.exception("Looking after batches and the schedule failed; it is tried again in %s s", TEND_SECONDS)
    finally:
        close_old_connections()
