"""The command's own process: it passes signals on to the cluster, and begins it anew when it dies."""

import logging
import os
import signal
import sys
import time
from collections import deque
from contextlib import suppress

from batches.worker import cluster
from batches.worker.cluster import SIGNALS
from batches.worker.page import HealthServer
from convgen.processes import WORKER, registered

# A cluster that dies so often is likely to die of the same again: that is for the process manager to tell people.
DEATHS, WITHIN_SECONDS = 3, 60.0

logger = logging.getLogger(__name__)


def supervise(server: HealthServer | None) -> int:
    """Run clusters until one ends in order, or they die too often; the exit code of the last one."""
    deaths: deque[float] = deque(maxlen=DEATHS)
    while True:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until both know what to do with one
        child = _fork(server)
        told = _pass_signals_on(child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        code = _wait(child)
        if told or code == 0:
            return code
        deaths.append(time.monotonic())
        if len(deaths) == DEATHS and deaths[-1] - deaths[0] < WITHIN_SECONDS:
            logger.error("The cluster died with code %s, %s deaths within %g s.", code, DEATHS, WITHIN_SECONDS)
            return code if code > 0 else 128 - code
        logger.error("The cluster died with code %s, and is begun anew.", code)


def _fork(server: HealthServer | None) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    os.setsid()
    with registered(WORKER):
        code = cluster.run(parent, server)
    sys.exit(code)


def _pass_signals_on(child: int) -> list[int]:
    """From now on. What was passed on is noted in the answer."""
    told: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        told.append(number)
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for number in SIGNALS:
        signal.signal(number, pass_on)
    return told


def _wait(child: int) -> int:
    _pid, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # if it was killed, what it left behind goes too
    return os.waitstatus_to_exitcode(status)
