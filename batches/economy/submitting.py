"""The slice of an economy job: claim items, write a message batch ahead, send it, and so on until none waits.

Each message batch is written down with its items before it is sent, and its id when Anthropic has answered. Whatever
breaks in between (a kill, a lost answer) leaves a row that says so, and nothing is sent again before it is certain that
Anthropic never had it (`adopting.py`).
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.conf import settings

from batches import control, leases
from batches.budget import budget_of
from batches.choices import JobStatus
from batches.economy import budget, ending, holding, waiting
from batches.economy.chunks import Waiting, prepare
from batches.economy.holding import Prepared
from batches.leases import Claimed, Work
from batches.models import BatchJob, MessageBatch
from conversations.models import Workspace
from convgen.database.threads import DatabaseThreads
from generation import saving
from generation.answers import RemoteBatch
from generation.claude import Claude
from generation.drafts import Drafts
from generation.endpoint import Endpoint
from generation.errors import GenerationError, Overloaded, ProgramFailed, RateLimited, RequestTooLarge, RetryLater
from generation.limits import UNREACHABLE
from generation.request import Descriptions, descriptions

logger = logging.getLogger(__name__)

PAGE = 500  # items claimed at a time: the leases of what is claimed already must be kept in between


async def run(
    job: BatchJob,
    runner: str,
    target: Endpoint,
    _on_unfinished: Callable[[UUID], None],
    stopping: Callable[[], bool],
) -> float | None:
    """Send what waits; the seconds after which to look again, when something must be waited for first."""
    claude = Claude(target, timeout=settings.ANTHROPIC_TIMEOUT)
    async with DatabaseThreads(threads=1) as database, claude:
        submission = Submission(
            job=job,
            runner=runner,
            target=target,
            stopping=stopping,
            database=database,
            claude=claude,
            workspace=await database(Workspace.objects.get, pk=job.workspace_id),
            described=await database(descriptions, job.workspace_id),
        )
        return await submission.run()


@dataclass
class Submission:
    job: BatchJob
    runner: str
    target: Endpoint
    stopping: Callable[[], bool]
    database: DatabaseThreads
    claude: Claude
    workspace: Workspace
    described: Descriptions

    known: Drafts = field(default_factory=Drafts)
    queue: Waiting = field(default_factory=lambda: Waiting(settings.ECONOMY_CHUNK_REQUESTS))
    sending: MessageBatch | None = None
    begun_at: float = field(default_factory=time.monotonic)
    told: str = ""  # what is waited for, on the job's page
    again_in: float | None = None  # seconds

    async def run(self) -> float | None:
        self.told = await self.database(waiting.in_words, self.job.pk)
        try:
            async with self._kept():
                while await self._may_go_on() and await self._fill():
                    await self._submit(self.queue.take())
        finally:
            await self._give_back(self.queue.works)
        if self.again_in is None:
            await self.database(waiting.tell, self.job.pk)
        return self.again_in

    async def _may_go_on(self) -> bool:
        """Whether the job is still ours to send; it also keeps the runner's lease."""
        over = time.monotonic() - self.begun_at > settings.BATCH_SLICE_SECONDS
        if over or self.stopping() or self.again_in is not None:
            return False
        return await self._look()

    async def _look(self) -> bool:
        seen = await self.database(leases.look, self.job.pk, self.runner, waiting_for=self.told)
        return seen is not None and seen.status == JobStatus.PROCESSING

    async def _fill(self) -> bool:
        """Claim and prepare until the next message batch is full, or nothing waits any more; whether there is one."""
        while missing := self.queue.missing:
            begun = len(self.queue.works)
            room = await self.database(budget.room, self.job, begun=begun)
            wanted = min(missing, PAGE) if room is None else min(missing, PAGE, room)
            if wanted == 0:
                await self._without_budget(begun)
                break
            claimed = await self.database(leases.claim, self.job, self.runner, wanted, self.known)
            if not (claimed.works or claimed.refused):
                break
            if not await self._prepare(claimed) or self.stopping():
                return False
        return bool(self.queue.works)

    async def _without_budget(self, begun: int) -> None:
        """Wait for what is at Claude to tell its cost; without that, the budget is used up."""
        if begun:
            return  # they fit, and are sent first
        if await self.database(waiting.next_look, self.job.pk) is None:
            used_up = await self.database(budget_of, self.job)
            await self.database(control.suspend, self.job.pk, used_up.in_words())
        else:
            await self.database(waiting.tell, self.job.pk)
            self.again_in = settings.ECONOMY_POLL_SECONDS

    async def _prepare(self, claimed: Claimed) -> bool:
        """Make the requests; False when something was wrong that ends the work on this job for now."""
        works = deque(claimed.works)
        ends = [await self.database(ending.judge, self.job, error) for error in claimed.refused]
        while works and not any(ends):
            work = works.popleft()
            try:
                self.queue.add([self._prepared(work)])
            except GenerationError as error:
                await self.database(saving.fail, work.draft, work.call_id, error, orderer=work)
                ends.append(await self.database(ending.judge, self.job, error))
        await self._give_back(list(works))
        return not any(ends)

    def _prepared(self, work: Work) -> Prepared:
        try:
            return prepare(work, self.job, self.workspace, self.described)
        except GenerationError:
            raise
        except Exception as error:  # one item's trouble is not the others'
            logger.exception("The request for %s could not be made", work.draft)
            raise ProgramFailed() from error

    async def _submit(self, prepared: list[Prepared]) -> None:
        written = await self.database(holding.write_ahead, self.job, self.runner, self.target, prepared)
        if written is None:
            await self._give_back([one.work for one in prepared])
            return
        self.sending, held = written
        try:
            await self._send(self.sending, held)
        finally:
            message_batch, self.sending = self.sending, None
            with suppress(*UNREACHABLE):  # then its lease runs out instead
                await self.database(holding.leave, message_batch.pk, self.runner)
        self.told = await self.database(waiting.in_words, self.job.pk)

    async def _send(self, message_batch: MessageBatch, held: list[Prepared]) -> None:
        try:
            remote = await self.claude.submit([(one.custom_id, one.request) for one in held])
        except GenerationError as error:
            await self._refused(message_batch, held, error)
            return
        if not await self.database(holding.created, message_batch, remote):
            await self._undo(remote)

    async def _undo(self, remote: RemoteBatch) -> None:
        """We stood still for so long that its items were given back: nobody may pay for them twice."""
        logger.warning("Message batch %s was created too late, and is cancelled", remote.id)
        try:
            await self.claude.cancel_message_batch(remote.id)
        except GenerationError:
            logger.exception("Message batch %s is not ours any more: cancel it in Anthropic's Console", remote.id)

    async def _refused(self, message_batch: MessageBatch, held: list[Prepared], error: GenerationError) -> None:
        if isinstance(error, RetryLater) and not isinstance(error, RateLimited | Overloaded):
            await self._unknown(message_batch, error)
            return
        too_large = isinstance(error, RequestTooLarge)
        if too_large and len(held) == 1:
            [work] = [one.work for one in held]
            await self.database(saving.fail, work.draft, work.call_id, error, orderer=work)
            await self.database(ending.judge, self.job, error)
        await self.database(holding.not_created, message_batch, str(error))
        if isinstance(error, RateLimited | Overloaded):
            await self.database(message_batch.delete)  # there may be many tries, and nothing came of this one
            await self._later(error)
        elif too_large:
            self.queue.halve(len(held))
        else:
            await self.database(control.suspend, self.job.pk, str(error))

    async def _unknown(self, message_batch: MessageBatch, error: RetryLater) -> None:
        """It may be there all the same: leave it to whoever looks at it next, and send nothing more for now."""
        logger.warning("%s: whether a message batch was created is not known: %s", self.job, error)
        unsure = f"Whether Anthropic has one of them is not known yet, and nothing is sent twice: {error}"
        await self.database(holding.undecided, message_batch, unsure)
        await self.database(waiting.tell, self.job.pk)
        self.again_in = settings.ECONOMY_POLL_SECONDS

    async def _later(self, error: RateLimited | Overloaded) -> None:
        """Wait as long as Claude asks, and say so."""
        self.again_in = settings.ECONOMY_POLL_SECONDS if error.retry_after is None else error.retry_after
        self.told = f"Claude takes no further message batch just now. The next try is in {self.again_in:.0f} s."
        await self._look()

    async def _give_back(self, works: list[Work]) -> None:
        if works:
            with suppress(*UNREACHABLE):  # then their leases run out instead
                await self.database(holding.give_back, self.job.pk, works)

    @asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        """Keep all leases, however long sending takes."""
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(settings.BATCH_LEASE_SECONDS / 3)
            with suppress(*UNREACHABLE):
                await self._look()
                await self.database(leases.heartbeat, self.queue.works)
                if self.sending:
                    await self.database(partial(holding.keep, self.sending.pk, self.runner))
