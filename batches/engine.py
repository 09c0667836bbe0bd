"""The slice: one asyncio loop that runs one job for a while, with many calls in flight.

A slice works for `BATCH_SLICE_SECONDS`, then hands over to its continuation. It sees pause, cancel and a changed
concurrency within a second. When it stops, for whatever reason, calls in flight finish and are kept; those that
only wait (for the limit, or to try again) are given back.
"""

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.conf import settings

from batches import control, leases
from batches.leases import Look, Work
from batches.models import BatchJob, ErrorHandling, JobStatus
from convgen.database.threads import DatabaseThreads
from generation.claude import Claude
from generation.drafts import Drafts
from generation.endpoint import Endpoint, endpoint
from generation.errors import FixConfiguration, GenerationError, ReplyUnusable, RetryLater, StopEverything
from generation.limits import RequestLimit
from generation.request import descriptions
from generation.service import Generator, Interrupted, Outcome

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25  # how often the job is looked at: pause and cancel must act within a second
UNAVAILABLE_IN_A_ROW = 3  # conversations lost to an unavailable Claude before the job pauses, or the concurrency


def run_slice(
    job_id: UUID, *, on_unfinished: Callable[[UUID], None], stopping: Callable[[], bool] = lambda: False
) -> None:
    """Run a job for one slice.

    `on_unfinished` is called in the transaction that ends a slice with work left; `stopping` tells that the
    process is to end. Harmless when the job already has a runner, or is not processing.
    """
    runner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if not leases.take_job(job_id, runner):
        return
    try:
        job = BatchJob.objects.get(pk=job_id)
        asyncio.run(_run(job, runner, endpoint(), stopping))
    except BaseException:
        # Not straight on: what failed just now may fail again. The reaper revives the job once its lease has ended.
        leases.leave_job(job_id, runner, on_unfinished=lambda _job_id: None)
        raise
    leases.leave_job(job_id, runner, on_unfinished)
    control.dispatch()  # if the job has ended, the next one may begin


async def _run(job: BatchJob, runner: str, target: Endpoint, stopping: Callable[[], bool]) -> None:
    claude = Claude(target, timeout=settings.ANTHROPIC_TIMEOUT)
    # Looking and claiming have a thread of their own: they must not queue behind the saving of what has arrived.
    async with DatabaseThreads(threads=1) as steering, DatabaseThreads(threads=2) as database, claude:
        drain = Drain()
        limit = RequestLimit(target, steering)
        generator = Generator(
            claude=claude,
            database=database,
            limit=limit,
            model=job.model,
            described=await database(descriptions, job.workspace_id),
            max_attempts=job.max_attempts,
            sleep=drain.sleep,
            shared=job.shared_parameters,
            first_wait=settings.GENERATION_FIRST_WAIT,
        )
        await Slice(job, runner, steering, limit, generator, drain, stopping).run()


class Drain:
    """Set when the slice takes no new work; ends the sleeps of those that wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def begin(self) -> None:
        self._event.set()

    @property
    def begun(self) -> bool:
        return self._event.is_set()

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless the slice drains: then raise `Interrupted`."""
        if seconds > 0 or self.begun:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), timeout=max(seconds, 0))
        if self.begun:
            raise Interrupted


@dataclass
class Slice:
    job: BatchJob
    runner: str
    database: DatabaseThreads
    limit: RequestLimit
    generator: Generator
    drain: Drain
    stopping: Callable[[], bool]

    known: Drafts = field(default_factory=Drafts)
    in_flight: "set[asyncio.Task[None]]" = field(default_factory=set)
    unavailable: int = 0  # conversations in a row that failed because Claude was not there
    begun_at: float = field(default_factory=time.monotonic)
    beaten_at: float = field(default_factory=time.monotonic)
    seen: Look | None = None
    look_at: float = 0.0
    ask_at: float = 0.0  # when the limit may be asked again
    waiting: int = 0  # items that can be claimed

    async def run(self) -> None:
        try:
            while seen := await self._look():
                if self._should_drain(seen):
                    self.drain.begin()
                elif (room := self._room(seen)) > 0:
                    await self._begin(room)
                if not self.in_flight and (self.drain.begun or await self._all_ended()):
                    return
                await self._wait()
        finally:
            self.drain.begin()
            await self._settle()

    async def _look(self) -> Look | None:
        """The job as it stands; at most every `LOOK_SECONDS` from the database."""
        if time.monotonic() >= self.look_at:
            self.look_at = time.monotonic() + LOOK_SECONDS
            self.seen = await self.database(leases.look, self.job.pk, self.runner, waiting_for=self._waiting_for())
            self.waiting = self.seen.waiting if self.seen else 0
        if time.monotonic() - self.beaten_at > settings.BATCH_LEASE_SECONDS / 3:
            self.beaten_at = time.monotonic()
            await self.database(leases.heartbeat, self.job.pk, self.runner)
        return self.seen

    def _waiting_for(self) -> str:
        seconds = self.ask_at - time.monotonic()
        return f"Rate limit: next request in {seconds:.0f} s." if seconds >= 1 else ""

    async def _all_ended(self) -> bool:
        """Whether nothing is left: asked of the database when nothing is in flight and nothing waits."""
        if self.waiting:
            return False
        self.look_at = 0.0
        seen = await self._look()
        return seen is None or not seen.unfinished

    def _should_drain(self, seen: Look) -> bool:
        over = time.monotonic() - self.begun_at > settings.BATCH_SLICE_SECONDS
        return self.drain.begun or seen.status != JobStatus.PROCESSING or over or self.stopping()

    def _room(self, seen: Look) -> int:
        """How many more calls may begin: free places, as long as there are items left and the limit has room."""
        if time.monotonic() < self.ask_at:
            return 0
        concurrency = min(seen.concurrency, int(settings.MAX_BATCH_CONCURRENCY))
        return min(concurrency - len(self.in_flight), self.waiting)

    async def _begin(self, room: int) -> None:
        """Ask the limit first and claim then: what is claimed can be sent at once."""
        delays = await self.limit.grants(room)
        if delays[0] < 0:
            self.ask_at = time.monotonic() - delays[0]
            return
        works = await self.database(leases.claim, self.job, self.runner, len(delays), self.known)
        self.waiting -= len(delays)
        for work, delay in zip(works, delays, strict=False):
            self.in_flight.add(asyncio.create_task(self._work(work, delay)))

    async def _wait(self) -> None:
        """Until a call ends, or it is time to look again."""
        if not self.in_flight:
            await asyncio.sleep(LOOK_SECONDS)
            return
        done, self.in_flight = await asyncio.wait(
            self.in_flight, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()  # an error here is the database's: the slice ends with it

    async def _settle(self) -> None:
        """After an error, let what is in flight come to its end."""
        results = await asyncio.gather(*self.in_flight, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                logger.error("Batch %s: a call ended with %r", self.job, result)

    async def _work(self, work: Work, delay: float) -> None:
        try:
            outcome = await self.generator.generate(
                work.draft,
                work.call_id,
                permit=Granted(delay, partial(self.limit.permit, self.drain.sleep), self.drain),
                orderer=work,
            )
        except Interrupted as interrupted:
            await self.database(leases.give_back, work, interrupted.spent_usd)
        else:
            await self._judge(outcome)

    async def _judge(self, outcome: Outcome) -> None:
        """Stop the job when going on would be in vain."""
        error = outcome.error
        if error is None:
            self.unavailable = 0
            return
        if isinstance(error, RetryLater) and not isinstance(error, ReplyUnusable):
            self.unavailable += 1
        in_vain = self.unavailable >= max(UNAVAILABLE_IN_A_ROW, self.job.concurrent_processing)
        if isinstance(error, FixConfiguration | StopEverything) or in_vain:
            await self._stop(control.pause, error)
        elif self.job.error_handling == ErrorHandling.STOP:
            await self._stop(control.stop, error)

    async def _stop(self, how: Callable[[UUID, str], bool], error: GenerationError) -> None:
        self.drain.begin()
        await self.database(how, self.job.pk, str(error))


class Granted:
    """A permit whose first use was granted when the item was claimed; further ones ask the limit."""

    def __init__(self, delay: float, permit: Callable[[], Awaitable[None]], drain: Drain) -> None:
        self._delay: float | None = delay
        self._permit = permit
        self._drain = drain

    async def __call__(self) -> None:
        if self._delay is None:
            await self._permit()
        else:
            delay, self._delay = self._delay, None
            await self._drain.sleep(delay)
