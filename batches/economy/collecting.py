"""Looks at one message batch: finds it, cancels it with its job, waits for its end, reads its results.

It does not matter whether the job is paused or has ended: what Claude has written is paid for and kept. One process at
a time looks, under a lease, and a look that fails is only put off.
"""

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from batches.choices import ENDED, MessageBatchStatus
from batches.economy import adopting, ending, holding, reading, waiting
from batches.economy.reading import Reading
from batches.models import BatchJob, MessageBatch
from convgen.database.threads import DatabaseThreads
from convgen.route import route
from convgen.tenancy import EVERY, workspace_scope
from generation.answers import RemoteBatch
from generation.claude import Claude
from generation.endpoint import Endpoint, endpoint
from generation.errors import GenerationError, RequestRefused, ResultsGone

logger = logging.getLogger(__name__)

NEVER_THERE = "Anthropic never had it."
OTHER_KEY = (
    "It was sent with another API key or to another address ({address}), which alone know it: set "
    "ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL as they were, and its results are collected."
)


def collect(
    message_batch_id: UUID, *, on_unfinished: Callable[[UUID], None], stopping: Callable[[], bool] = lambda: False
) -> None:
    """Look at a message batch, in its workspace's scope. Harmless when it is not due or somebody is at it.

    `on_unfinished` is called for the job in the transaction that closes the message batch with work left for a slice.
    """
    with workspace_scope(EVERY):
        found = MessageBatch.objects.filter(pk=message_batch_id).values_list("workspace_id", "job_id").first()
    if found:
        workspace_id, job_id = found
        with workspace_scope(workspace_id), route(f"batch {job_id}"):
            _collect(message_batch_id, on_unfinished, stopping)


def _collect(message_batch_id: UUID, on_unfinished: Callable[[UUID], None], stopping: Callable[[], bool]) -> None:
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    message_batch = holding.take(message_batch_id, holder)
    if message_batch is None:
        return
    try:
        target = endpoint()
        if target.limit_key == message_batch.limit_key:
            asyncio.run(_look(message_batch, holder, target, on_unfinished, stopping))
        else:
            holding.failed(message_batch, OTHER_KEY.format(address=message_batch.address))
    except (OperationalError, InterfaceError):
        raise  # the database's trouble: it is looked at again once the lease has ended
    except Exception as error:
        holding.failed(message_batch, f"It could not be looked at: {error}")
        raise
    finally:
        holding.leave(message_batch_id, holder)
        waiting.tell(message_batch.job_id)


async def _look(
    message_batch: MessageBatch,
    holder: str,
    target: Endpoint,
    on_unfinished: Callable[[UUID], None],
    stopping: Callable[[], bool],
) -> None:
    claude = Claude(target, timeout=settings.ANTHROPIC_TIMEOUT)
    async with DatabaseThreads(threads=1) as database, claude:
        look = Look(message_batch, holder, claude, database, on_unfinished, stopping)
        try:
            await look.run()
        except ResultsGone as gone:
            # What was paid for is not thrown away for one answer, which a proxy may have given.
            again = message_batch.last_error == str(gone)
            await database(look.lose if again else partial(holding.failed, message_batch), gone)
        except GenerationError as error:
            logger.warning("Looking at message batch %s failed: %s", message_batch, error)
            await database(holding.failed, message_batch, error)


@dataclass
class Look:
    message_batch: MessageBatch
    holder: str
    claude: Claude
    database: DatabaseThreads
    on_unfinished: Callable[[UUID], None]
    stopping: Callable[[], bool]

    async def run(self) -> None:
        """Raises a `GenerationError` when it cannot be looked at."""
        if self.message_batch.status == MessageBatchStatus.SUBMITTING:
            await self._find()
        elif self.message_batch.status == MessageBatchStatus.ENDED:
            await self._read()
        else:
            await self._ask()

    async def _find(self) -> None:
        search = await adopting.search(self.message_batch, self.claude, self.database)
        if search.found:
            await self._ended(search.found)
        elif search.undecided:
            unsure = "Whether Anthropic has one of them is not known yet, and nothing is sent twice."
            await self.database(holding.undecided, self.message_batch, unsure)
        else:
            await self.database(self._close_unsent)

    async def _ask(self) -> None:
        remote = await self.claude.message_batch(self.message_batch.remote_id)
        if remote.ended:
            await self._ended(remote)
        else:
            if not remote.canceling and await self.database(self._job_ended):
                remote = await self._cancelled(remote)
            await self.database(holding.seen, self.message_batch, remote)

    def _job_ended(self) -> bool:
        """Asked when Anthropic has answered: whoever ends the job meanwhile has it looked at no sooner than we do."""
        return BatchJob.objects.filter(pk=self.message_batch.job_id, status__in=ENDED).exists()

    async def _cancelled(self, remote: RemoteBatch) -> RemoteBatch:
        try:
            return await self.claude.cancel_message_batch(remote.id)
        except RequestRefused:  # it has ended just now: the next look finds that
            return remote

    async def _ended(self, remote: RemoteBatch) -> None:
        await self.database(holding.ended, self.message_batch, remote)
        await self._read()

    async def _read(self) -> None:
        keep = partial(holding.keep, self.message_batch.pk, self.holder)
        pass_over = Reading(self.message_batch, self.claude, self.database, keep, self.stopping)
        if await pass_over.run():
            await self.database(self._close_read)

    def _close_read(self) -> None:
        now = timezone.now()
        ending.close(self.message_batch, MessageBatchStatus.READ, self.on_unfinished, read_at=now, last_error="")

    def _close_unsent(self) -> None:
        if holding.not_created(self.message_batch, NEVER_THERE):  # its sender may have had an answer just now
            ending.close(self.message_batch, MessageBatchStatus.NOT_CREATED, self.on_unfinished)

    def lose(self, gone: ResultsGone) -> None:
        """Its results will never come: nothing is bought again unasked."""
        reading.end_all(self.message_batch, gone)
        ending.close(self.message_batch, MessageBatchStatus.LOST, self.on_unfinished, last_error=str(gone))
