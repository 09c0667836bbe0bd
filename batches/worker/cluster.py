"""The first process of the cluster: it starts the sentinel, tells how the worker is, and ends it in order."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from batches import stopping
from batches.worker import liveness
from batches.worker.health import HOPELESS, Health, Report
from batches.worker.page import HealthServer
from batches.worker.sentinel import SentinelProcess
from batches.worker.systemd import notify
from batches.worker.tending import Tending

CHECK_SECONDS = 0.2
SIGNALS = (signal.SIGTERM, signal.SIGINT)  # they ask for the end
BEGUN_ANEW = 1  # the exit code that asks for that

logger = logging.getLogger(__name__)


def run(parent: int, server: HealthServer | None) -> int:
    """Work until a signal comes, or the parent or the sentinel is gone; the exit code."""
    stopping.forget()
    with _signals() as received, liveness.sign_of_life() as sign:
        sentinel = SentinelProcess()
        tending = Tending(sentinel.pid)
        cluster = Cluster(sentinel, Health(sentinel.heart, tending), sign, received, parent)
        if server:
            server.begin(cluster.health.report)
        try:
            return cluster.run()
        finally:
            tending.end()


class Cluster:
    def __init__(self, sentinel: SentinelProcess, health: Health, sign: Path, received: list[int], parent: int) -> None:
        self.sentinel = sentinel
        self.health = health
        self._sign = sign
        self._received = received  # signals, as they come
        self._parent = parent
        self._write_at = 0.0
        self._ready = False

    def run(self) -> int:
        while self.sentinel.alive and not self._must_end():
            self._round()
        return self._drain() if self.sentinel.alive else self._died()

    def _round(self) -> None:
        self._show()
        time.sleep(CHECK_SECONDS)
        if self.sentinel.heart.silent_for > HOPELESS:
            logger.error("The sentinel stands still, and is killed with all that it looks after.")
            self.sentinel.kill()

    def _must_end(self) -> bool:
        return bool(self._received) or os.getppid() != self._parent

    def _drain(self) -> int:
        """Let calls in flight finish. A second Ctrl-C does not wait for them."""
        begun = time.monotonic()
        self._begin_drain()
        told = len(self._received)
        while self.sentinel.alive:
            if self._received.count(signal.SIGINT) > 1:
                return self._end_now()
            if len(self._received) > told:
                told = len(self._received)
                logger.info("The worker ends already, and waits for calls in flight. Ctrl-C twice ends it now.")
            self._round()
        logger.info("The worker has ended, %.1f s after it was told to.", time.monotonic() - begun)
        return 0

    def _begin_drain(self) -> None:
        logger.info(
            "%s: the worker begins no more calls and hands its batches over. Calls in flight finish (up to %g s).",
            self._why(),
            settings.ANTHROPIC_TIMEOUT,
        )
        self.health.draining = True
        notify("STOPPING=1", "STATUS=Calls in flight finish.")
        self.sentinel.tell_to_stop()

    def _end_now(self) -> int:
        logger.warning("Ctrl-C again: the worker ends now. Calls in flight are lost, and made again by others.")
        self.sentinel.kill()
        return 128 + signal.SIGINT

    def _why(self) -> str:
        return signal.Signals(self._received[0]).name if self._received else "The command above was killed"

    def _died(self) -> int:
        logger.error("The sentinel has ended with code %s.", self.sentinel.code)
        return BEGUN_ANEW

    def _show(self) -> None:
        """Every few seconds, as long as all is well: to whoever looks at the file, and to systemd."""
        if time.monotonic() < self._write_at:
            return
        self._write_at = time.monotonic() + (liveness.WRITE_SECONDS if self._ready else CHECK_SECONDS)
        report = self.health.report()
        for problem in report.problems:
            logger.error("%s", problem)
        if not report.healthy:
            return
        liveness.write(self._sign, report)
        notify("WATCHDOG=1", f"STATUS={_in_words(report)}")
        if not self._ready:
            self._ready = True
            notify("READY=1")
            logger.info("The worker %s is ready: %s processes.", report.worker, settings.Q_CLUSTER["workers"])


def _in_words(report: Report) -> str:
    calls = sum(batch.in_flight for batch in report.batches)
    return f"{report.status}; {len(report.batches)} batches, {calls} calls in flight"


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals that came, in their order; also those that the supervisor has held back since the fork."""
    received: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, _frame: received.append(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    yield received
