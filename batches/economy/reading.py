"""Saves the results of a message batch that has ended: each in a transaction of its own, as a live reply is.

Results are matched by their custom_id, the call id of an item's present claim. What was saved already is passed over,
so that reading can begin again at any time.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from batches import control, leases
from batches.economy import ending, holding
from batches.leases import Work
from batches.models import AT_CLAUDE, BatchItem, BatchJob, MessageBatch
from convgen.database.threads import DatabaseThreads
from generation import claims, logs, saving
from generation.answers import Result
from generation.attempts import NOTHING, Attempt, Success
from generation.claude import Claude
from generation.drafts import Drafts
from generation.errors import (
    FixConfiguration,
    GenerationError,
    ProgramFailed,
    ReplyMalformed,
    RequestCanceled,
    RetryLater,
    ServerFailed,
    StopEverything,
)
from generation.pricing import cost_of
from generation.reply import Reply, parse_reply

logger = logging.getLogger(__name__)

PAGE = 20  # results whose drafts are loaded at a time
SHORT_READS = 3  # looks that must have failed before results that are missing are taken for lost


@dataclass
class Reading:
    """One pass over the results. `keep` keeps the lease and is False when it was lost."""

    message_batch: MessageBatch
    claude: Claude
    database: DatabaseThreads
    keep: Callable[[], bool]
    stopping: Callable[[], bool]

    known: Drafts = field(default_factory=Drafts)
    begun_at: float = field(default_factory=time.monotonic)
    kept_at: float = field(default_factory=time.monotonic)

    async def run(self) -> bool:
        """True when every item has come to its end; False when somebody else has to go on. Raises a `GenerationError`
        when the results could not be read to their end.
        """
        number, page = 0, list[Result]()
        async with aclosing(self.claude.results(self.message_batch.remote_id)) as results:
            async for result in results:
                number += 1
                page.append(result)
                if len(page) == PAGE:
                    if not await self._save(page):
                        return False
                    page = []
        return await self._save(page) and await self._end_missing(number)

    async def _save(self, page: Sequence[Result]) -> bool:
        works = await self.database(_held, self.message_batch, [result.custom_id for result in page], self.known)
        for result in page:
            if not await self._may_go_on():
                return False
            if found := works.get(result.custom_id):
                await self.database(settle, self.message_batch, *found, result)
        return True

    async def _may_go_on(self) -> bool:
        """Whether the next result may be saved: the lease is ours, and neither the worker nor its task is to end."""
        now = time.monotonic()
        if self.stopping() or now - self.begun_at > settings.BATCH_SLICE_SECONDS:
            return False
        if now - self.kept_at < settings.BATCH_LEASE_SECONDS / 3:
            return True
        self.kept_at = now
        return await self.database(self.keep)

    async def _end_missing(self, number: int) -> bool:
        """What the results said nothing of: first they are taken for incomplete, and read again later."""
        looked_at, expected = self.message_batch, self.message_batch.requests
        short = ServerFailed(f"Claude's server sent only {number} of {expected} results. They are read once more.")
        # Looks that failed otherwise say nothing of that: the last one must have found as many.
        lost = looked_at.failed_looks >= SHORT_READS and looked_at.last_error == str(short)
        if number < expected and not lost:
            raise short
        missing = await self.database(_names, self.message_batch)
        silent = ServerFailed("Claude's server said nothing of this request in the results of its message batch.")
        return await self._save([Result(name, error=silent) for name in missing])


def _held(message_batch: MessageBatch, names: Sequence[str], known: Drafts) -> dict[str, tuple[BatchItem, Work]]:
    """The items that still wait for these results, by name, with their drafts loaded."""
    calls = [call for name in names if (call := _call(name))]
    items = list(message_batch.items.filter(AT_CLAUDE, call_id__in=calls))
    drafts = known.load([item.conversation_id for item in items])
    found = {}
    for item in items:
        if item.call_id and item.conversation_id in drafts:
            work = Work(item.pk, item.job_id, item.call_id, drafts[item.conversation_id])
            found[item.call_id.hex] = (item, work)
    return found


def _names(message_batch: MessageBatch) -> list[str]:
    """The names of all requests whose results it still waits for."""
    calls = message_batch.items.filter(AT_CLAUDE).values_list("call_id", flat=True)
    return [call.hex for call in calls if call]


def settle(message_batch: MessageBatch, item: BatchItem, work: Work, result: Result) -> None:
    """Bring an item to its end, or back to the waiting ones, as its result says; and the job, if that ends it.

    What can be neither saved nor logged is that item's trouble, and holds up no other result.
    """
    try:
        _settle(message_batch, item, work, result)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("What came of %s could not be written", work.draft)
        error = ProgramFailed()
        if saving.fail(work.draft, work.call_id, error, orderer=work):
            ending.judge(message_batch.job, error)


def _settle(message_batch: MessageBatch, item: BatchItem, work: Work, result: Result) -> None:
    reply, attempt = _attempt(message_batch, item, result)
    if reply and result.answer:
        _pin_template(work, item)
        success = Success(reply, result.answer, attempt, attempt.cost.usd)
        try:
            if not saving.save(work.draft, work.call_id, success, orderer=work):
                leases.refuse(work.item_id, work.call_id)  # somebody has taken its conversation away
            return
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("Saving %s failed", work.draft)
            attempt = replace(attempt, error=ProgramFailed())
    _without_success(message_batch.job, item, work, attempt, attempt.error or ProgramFailed())


def _attempt(message_batch: MessageBatch, item: BatchItem, result: Result) -> tuple[Reply | None, Attempt]:
    """The reply, if there is one that can be used, and the log's row."""
    reply, error, answer = None, result.error, result.answer
    request = (item.sent or {}).get("request") or {"model": ""}
    if answer and not error:
        try:
            reply = parse_reply(answer.text)
        except ReplyMalformed as malformed:
            error = malformed
    cost = NOTHING
    if answer:
        cost = cost_of(answer.model, answer.usage, asked_for=request["model"], in_message_batch=True)
    began, end = message_batch.submitted_at, message_batch.ended_at
    duration = (end - began).total_seconds() if began and end else 0.0
    number = max(item.submissions, 1)
    return reply, Attempt(number, request, duration, answer, cost, error, message_batch.remote_id)


def _pin_template(work: Work, item: BatchItem) -> None:
    """The template as it was when the request was made: it may have been edited since."""
    version = (item.sent or {}).get("template_version")
    if work.draft.template and version:
        work.draft.template = copy(work.draft.template)  # others share it
        work.draft.template.version = version


@transaction.atomic
def _without_success(job: BatchJob, item: BatchItem, work: Work, attempt: Attempt, error: GenerationError) -> None:
    if not work.holds():
        return  # it was saved before
    logs.write(work.draft, work.call_id, attempt)
    if isinstance(error, RequestCanceled | FixConfiguration | StopEverything):
        _queue_again(item, work, attempt, counted=False)
        control.suspend(job.pk, str(error))
    elif isinstance(error, RetryLater) and (item.submissions < job.max_attempts or _cancelled(job)):
        _queue_again(item, work, attempt, counted=True)
    elif saving.fail(work.draft, work.call_id, error, spent_usd=attempt.cost.usd, orderer=work):
        ending.judge(job, error)
    else:
        leases.refuse(work.item_id, work.call_id)


def _cancelled(job: BatchJob) -> bool:
    job.refresh_from_db(fields=["status"])
    return job.ended


def _queue_again(item: BatchItem, work: Work, attempt: Attempt, *, counted: bool) -> None:
    """Back to the waiting ones, or cancelled with its job. `counted`: it counts as one of its job's attempts."""
    job = BatchJob.objects.select_for_update().get(pk=work.job_id)  # it must not end while we look
    spent, uncounted = attempt.cost.usd, 0 if counted else 1
    BatchItem.objects.filter(pk=item.pk).update(
        **holding.free(job),
        attempts=F("attempts") - uncounted,
        submissions=F("submissions") - uncounted,
        cost_usd=F("cost_usd") + spent,
    )
    claims.give_back(work.draft.pk, work.call_id, spent)


def end_all(message_batch: MessageBatch, error: GenerationError) -> None:
    """End every item that it still holds with the same error."""
    known = Drafts()
    for name in _names(message_batch):
        for item, work in _held(message_batch, [name], known).values():
            settle(message_batch, item, work, Result(name, error=error))


def _call(name: str) -> UUID | None:
    """The call id that a result's name is; None for one that is not ours."""
    try:
        return UUID(hex=name)
    except (ValueError, AttributeError, TypeError):
        return None
