"""django-q2's sentinel, watched: it tells that it is alive, and leaves nothing behind that stands still.

What it adds, and what for:

- A *heartbeat* on each of its rounds (twice a second): a sentinel that waits for ever for a lock looks alive otherwise.
- It begins the drain when nothing is fetched any more, so that a slice which hands over is not fetched by the very
  cluster that ends.
- A process that was killed while it waited for a task holds the lock of the queue for ever (multiprocessing's queues
  wait inside of it), and no other would get a task again. The cluster ends then, and is begun anew. One that was killed
  at its work held no lock, and is only replaced, as django-q2 does.
"""

import logging
import multiprocessing
import sys
import time
import uuid
from multiprocessing.synchronize import Event
from typing import Any

from django_q.cluster import Sentinel

from batches import stopping

FETCHING_SECONDS = 2.0  # the pusher's last look into the queue; longer only if no worker is free for what it fetched
STARTING_SECONDS = 0.05  # between looks whether it has started

logger = logging.getLogger(__name__)
_context = multiprocessing.get_context("fork")


class Heart:
    """When the sentinel was last known to be on its rounds; without a lock, as `batches/stopping.py` says."""

    def __init__(self) -> None:
        self._beat = _context.RawValue("d", time.monotonic())  # one clock for all processes of a machine

    def beat(self) -> None:
        self._beat.value = time.monotonic()

    @property
    def silent_for(self) -> float:
        """Seconds."""
        return time.monotonic() - float(self._beat.value)


class WatchedSentinel(Sentinel):
    """Works from its construction until it is told to stop, in a process of its own, as its base does."""

    def __init__(self, heart: Heart, *arguments: Any) -> None:
        self.heart = heart
        self.damaged = False
        super().__init__(*arguments)

    def status(self) -> str:
        """Asked for on every round."""
        self.heart.beat()
        return str(super().status())

    def reincarnate(self, process: Any) -> None:
        killed = process.exitcode is not None and process.exitcode < 0
        at_work = process in self.pool and process.timer.value >= 0
        super().reincarnate(process)
        if killed and not at_work:
            logger.error("A process was killed that may have locked the queue of tasks: the cluster is begun anew.")
            self.damaged = True
            self.stop_event.set()

    def stop(self) -> None:
        self.event_out.set()
        self.pusher.join(FETCHING_SECONDS)
        stopping.tell()
        if self.damaged:
            self._end_one_by_one()
            sys.exit(1)
        super().stop()

    def _end_one_by_one(self) -> None:
        """Let those at work finish. The others cannot be told through the queue, and have nothing to lose."""
        while any(worker.is_alive() and worker.timer.value >= 0 for worker in self.pool):
            self.heart.beat()
            time.sleep(0.1)
        for process in (*self.pool, self.pusher, self.monitor):
            process.terminate()


class SentinelProcess:
    """The sentinel, as the process above it sees it."""

    def __init__(self) -> None:
        self.heart = Heart()
        self._stop: Event = _context.Event()
        self._start: Event = _context.Event()
        arguments = (self.heart, self._stop, self._start, uuid.uuid4(), None, None)
        self._process = _context.Process(target=WatchedSentinel, args=arguments, name="sentinel")
        self._process.start()

    @property
    def pid(self) -> int:
        return int(self._process.pid or 0)

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    def tell_to_stop(self) -> None:
        self._stop.set()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
