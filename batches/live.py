"""The slice of live delivery: one asyncio loop that runs one job for a while, with many calls in flight.

A slice works for `BATCH_SLICE_SECONDS`. It sees pause, cancel and a changed number of calls in flight within a second.
When it stops, for whatever reason, calls in flight finish and are kept; those that only wait (for the limit, or to try
again) are given back. If its worker is to end, it gives up the job first: another worker goes on at once, and until the
calls in flight have ended, the job has some more of them than it asks for.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.conf import settings

from batches import control, leases
from batches.budget import budget_of
from batches.choices import ErrorHandling, JobStatus
from batches.draining import Drain, Granted
from batches.in_flight import InFlight
from batches.leases import Look, Work
from batches.models import BatchJob
from conversations.models import Workspace
from convgen.database.threads import DatabaseThreads
from generation.claude import Claude
from generation.drafts import Drafts
from generation.endpoint import Endpoint
from generation.errors import FixConfiguration, GenerationError, ReplyUnusable, RetryLater, StopEverything
from generation.limits import UNREACHABLE, Grant, RequestLimit, Wait
from generation.priority import Priority
from generation.request import descriptions
from generation.retries import RetryPolicy
from generation.service import Generator, Interrupted, Outcome

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25  # how often the job is looked at: pause and cancel must act within a second
UNSAVED = 4  # a quarter of the concurrency: how many replies more than calls may wait to be saved
UNAVAILABLE_IN_A_ROW = 3  # conversations lost to an unavailable Claude before the job pauses, or the concurrency


async def run(
    job: BatchJob,
    runner: str,
    target: Endpoint,
    on_unfinished: Callable[[UUID], None],
    stopping: Callable[[], bool],
) -> None:
    """Run a job as its `runner`, until it rests, its time is up, or `stopping`."""
    claude = Claude(target, timeout=job.request_timeout or settings.ANTHROPIC_TIMEOUT)
    # Claiming must not queue behind the saving of what has arrived. A third thread that saves would only compete for
    # Python's one lock (docs/decisions/0017-a-place-is-a-call.md has the figures).
    async with DatabaseThreads(threads=1) as steering, DatabaseThreads(threads=2) as saving, claude:
        drain = Drain()
        limit = RequestLimit(
            target, steering, who=f"Batch “{job.name}”", workspace=job.workspace_id, priority=Priority(job.priority)
        )
        generator = Generator(
            claude=claude,
            database=saving,
            limit=limit,
            workspace=await steering(Workspace.objects.get, pk=job.workspace_id),
            described=await steering(descriptions, job.workspace_id),
            policy=RetryPolicy(job.max_attempts, job.retry_strategy, settings.GENERATION_FIRST_WAIT),
            overrides=job,
            sleep=drain.sleep,
            shared=job.shared_parameters,
        )
        await Slice(job, runner, steering, limit, generator, drain, stopping, on_unfinished).run()


@dataclass
class Slice:
    job: BatchJob
    runner: str
    steering: DatabaseThreads
    limit: RequestLimit
    generator: Generator
    drain: Drain
    stopping: Callable[[], bool]
    on_unfinished: Callable[[UUID], None]

    known: Drafts = field(default_factory=Drafts)
    ready: deque[Work] = field(default_factory=deque)  # claimed, so that they can begin at once
    in_flight: InFlight = field(default_factory=InFlight)
    others: int = 1  # calls of a former runner in flight, as far as is known
    unavailable: int = 0  # conversations in a row that failed because Claude was not there
    begun_at: float = field(default_factory=time.monotonic)
    beat_at: float = 0.0
    look_at: float = 0.0
    looked_at: float = 0.0
    held_up: Wait | None = None  # by the limit
    turn_at: float = 0.0  # when that is likely to end
    ask_at: float = 0.0  # when the limit may be asked again
    seen: Look | None = None
    waiting: int = 0  # items that can be claimed

    async def run(self) -> None:
        try:
            while seen := await self._look():
                if self._should_drain(seen):
                    self.drain.begin()
                    await self._put_back()
                    await self._hand_over(seen)
                else:
                    await self._begin_some(seen)
                if not self.in_flight and (self.drain.begun or await self._all_ended()):
                    return
                await self.in_flight.news(LOOK_SECONDS)
        finally:
            self.drain.begin()
            try:
                with suppress(*UNREACHABLE):  # then it is passed over, and the leases run out
                    await self.steering(self.limit.withdraw)
                    await self._put_back()
            finally:
                self.ready.clear()
                await self._settle()

    async def _put_back(self) -> None:
        """Others may claim what was not begun."""
        if self.ready:
            await self.steering(leases.put_back, self.ready)
            self.ready.clear()

    async def _hand_over(self, seen: Look) -> None:
        """Let another worker go on at once, if this one is to end: calls in flight may take minutes."""
        if self.stopping() and seen.status == JobStatus.PROCESSING:
            logger.info("Batch %s goes to another worker; %s calls in flight finish.", self.job.pk, len(self.in_flight))
            await self.steering(leases.leave_job, self.job.pk, self.runner, self.on_unfinished)
            self.look_at = 0.0  # somebody else is its runner

    async def _look(self) -> Look | None:
        """The job as it stands, at most every `LOOK_SECONDS` from the database; None when it has another runner."""
        await self._beat()
        if time.monotonic() >= self.look_at:
            self.looked_at = time.monotonic()
            self.look_at = self.looked_at + LOOK_SECONDS
            self.seen = await self.steering(
                leases.look, self.job.pk, self.runner, waiting_for=self._waiting_for(), pace=self._pace()
            )
            self.waiting = self.seen.waiting if self.seen else 0
            if self.seen and self.seen.priority != self.limit.priority:
                self.limit.priority = Priority(self.seen.priority)
                self.ask_at = 0.0  # its turn may have come
        return self.seen

    async def _beat(self) -> None:
        """Keep the leases of what is claimed."""
        works = [*self.ready, *self.in_flight.works]
        if works and time.monotonic() >= self.beat_at:
            self.beat_at = time.monotonic() + settings.BATCH_LEASE_SECONDS / 3
            await self.steering(leases.heartbeat, works)

    def _waiting_for(self) -> str:
        seconds = self.turn_at - time.monotonic()
        return self.held_up.in_words(seconds) if self.held_up and seconds >= 1 else ""

    def _pace(self) -> float | None:
        """Seconds per item in this slice: time that the job was paused must not count."""
        ended = self.in_flight.ended
        return (time.monotonic() - self.begun_at) / ended if ended else None

    async def _all_ended(self) -> bool:
        """Whether nothing is left: asked of the database when nothing is in flight and nothing waits."""
        if self.waiting or self.ready:
            return False
        self.look_at = 0.0
        seen = await self._look()
        return seen is None or not seen.unfinished

    def _should_drain(self, seen: Look) -> bool:
        over = time.monotonic() - self.begun_at > settings.BATCH_SLICE_SECONDS
        return self.drain.begun or seen.status != JobStatus.PROCESSING or over or self.stopping()

    async def _begin_some(self, seen: Look) -> None:
        """Begin what is ready, and claim the next ones while Claude is at those: a free place is filled at once."""
        if not self.ready:
            await self._claim(seen)
        if self.ready:
            await self._begin(seen)
        if len(self.ready) <= self._concurrency(seen) / 2:
            await self._claim(seen)

    async def _claim(self, seen: Look) -> None:
        if (wanted := min(self._concurrency(seen) - len(self.ready), self.waiting)) <= 0:
            return
        claimed = await self.steering(leases.claim, self.job, self.runner, wanted, self.known)
        self.waiting -= wanted
        self.ready.extend(claimed.works)
        for error in claimed.refused:
            await self._judge(error)

    async def _begin(self, seen: Look) -> None:
        """Begin as many calls as there are free places, and as limit and budget have room for."""
        if time.monotonic() < self.ask_at or (room := self._places(seen)) <= 0:
            return
        if seen.budget_usd is not None and (room := min(room, await self._affordable())) <= 0:
            return
        grants = await self.steering(self.limit.acquire, min(room, len(self.ready)))
        if isinstance(grants, Wait):
            self.held_up, now = grants, time.monotonic()
            self.turn_at, self.ask_at = now + grants.seconds, now + grants.ask_in
            return
        self.held_up = None
        if time.monotonic() - self.looked_at > settings.BATCH_LEASE_SECONDS / 2:  # this process stood still meanwhile
            await self.steering(self.limit.release, grants)
            return  # who runs the job now is for the next look to say
        for grant in grants:
            self.in_flight.begin(self.ready.popleft(), partial(self._work, grant))

    async def _affordable(self) -> int:
        """How many more calls the budget has room for. Without room, and with nothing in flight, the job pauses."""
        begun = len(self.in_flight) + await self._begun_by_others()
        budget = await self.steering(budget_of, self.job)  # what has ended since the last look has cost something
        room = budget.room(begun)
        if room <= 0 and not begun:
            await self._stop(control.suspend, budget.in_words())
        return room

    async def _begun_by_others(self) -> int:
        """Calls that a former runner has in flight yet. None are added to them: once they have ended, nobody looks."""
        if self.others:
            self.others = await self.steering(leases.held_by_others, self.job.pk, self.runner)
        return self.others

    def _places(self, seen: Look) -> int:
        """How many more calls may be in flight. A reply that is being saved leaves its place to the next call, unless
        too many wait to be saved: they would be paid for again, should this process die.
        """
        concurrency = self._concurrency(seen)
        most_begun = concurrency + max(1, concurrency // UNSAVED)
        return min(concurrency - self.in_flight.calls, most_begun - len(self.in_flight))

    def _concurrency(self, seen: Look) -> int:
        return min(seen.concurrency, int(settings.MAX_BATCH_CONCURRENCY))

    async def _settle(self) -> None:
        """Let what is in flight come to its end, and keep its leases until then."""
        while self.in_flight:
            await self.in_flight.news(settings.BATCH_LEASE_SECONDS / 3)
            with suppress(*UNREACHABLE):
                await self._beat()

    async def _work(self, grant: Grant, work: Work, answered: Callable[[], None]) -> None:
        granted = Granted(grant, partial(self.limit.permit, self.drain.sleep), self.drain)
        try:
            outcome = await self.generator.generate(
                work.draft,
                work.call_id,
                permit=granted,
                orderer=work,
                answered=answered,
            )
            await self._judge_outcome(outcome)
        except Interrupted as interrupted:
            await self._give_back(work, interrupted)
        except Exception:
            # One item's trouble is not the others': its lease runs out, and it is taken up again.
            logger.exception("Batch %s: the end of %s could not be written", self.job, work.draft)
        finally:
            if granted.unused:  # nothing was sent: its prompt could not be resolved, for example
                with suppress(*UNREACHABLE):
                    await self.steering(self.limit.release, [granted.unused])

    async def _give_back(self, work: Work, interrupted: Interrupted) -> None:
        with suppress(*UNREACHABLE):  # then its lease runs out instead
            await self.steering(leases.give_back, work, requests=interrupted.requests, spent_usd=interrupted.spent_usd)

    async def _judge_outcome(self, outcome: Outcome) -> None:
        if not outcome.saved:
            return  # somebody else had taken it over, and decides
        if outcome.error:
            await self._judge(outcome.error)
        else:
            self.unavailable = 0

    async def _judge(self, error: GenerationError) -> None:
        """Stop the job when going on would be in vain."""
        if isinstance(error, RetryLater) and not isinstance(error, ReplyUnusable):
            self.unavailable += 1
        in_vain = self.unavailable >= max(UNAVAILABLE_IN_A_ROW, self.job.concurrent_processing)
        if isinstance(error, FixConfiguration | StopEverything) or in_vain:
            await self._stop(control.suspend, str(error))
        elif self.job.error_handling == ErrorHandling.STOP:
            await self._stop(control.stop, str(error))

    async def _stop(self, how: Callable[[UUID, str], bool], reason: str) -> None:
        self.drain.begin()
        await self.steering(how, self.job.pk, reason)
