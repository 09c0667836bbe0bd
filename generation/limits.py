"""The rate limits, shared by every process on every machine through PostgreSQL: requests, input and output tokens.

True sliding windows: in no 60 seconds do more requests leave, or are more tokens used, than the limits allow. Higher
priorities go first, and within one whoever came first; whoever finds no room waits, visibly, and asks again. What the
replies tell (tokens used, headers, a 429) is told to all. The rules are SQL (`generation/sql/rate_*.sql`), and
`docs/decisions/0015-shared-rate-limits.md` has their reasons.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from convgen.database.threads import DatabaseThreads
from generation.endpoint import Endpoint
from generation.errors import GenerationError, RateLimited, ReplyRefused, ReplyUnusable, RetryLater
from generation.models import RateGrant, RateWaiter, WaitReason
from generation.priority import Priority
from generation.rate_headers import NOTHING_SAID, RateHeaders

if TYPE_CHECKING:
    from generation.answers import Answer, Usage

logger = logging.getLogger(__name__)

# Seconds: kept a second longer than the 60 that are promised, because requests do not travel equally fast.
WINDOW = 61.0
# Seconds: how far ahead a grant may lie, and how long one sleeps before asking again. Pause must not wait for longer.
PATIENCE = 2.0
TOLD_EVERY = 1.0  # seconds between two reports of headers that limit no tokens: they tell nearly the same

UNREACHABLE = (DatabaseError, InterfaceError)  # what PostgreSQL's trouble raises

ASK = """
SELECT grant_id, due, delay, counted, place, ask_in, waits_for FROM rate_ask(
    %s, %s, %s::integer[], %s * interval '1 second', %s * interval '1 second', %s, %s, %s, %s, %s
)
"""
SETTLE = """
SELECT rate_settle(
    %s, %s, %s, %s * interval '1 second', %s::integer[], %s::integer[], %s::integer[], %s, %s, %s
)
"""

Sleep = Callable[[float], Awaitable[None]]  # seconds; may raise to end the wait


@dataclass
class Place:
    """A place in the queue of those who wait; none while one does not wait."""

    ticket: int | None = None


@dataclass(frozen=True)
class Wait:
    """There is no room now."""

    seconds: float  # until the turn is likely to come
    ask_in: float  # seconds after which to ask again; sooner, since things change
    reason: WaitReason

    def in_words(self, seconds: float) -> str:
        """What is waited for, and for how long."""
        return f"{_IN_WORDS[self.reason]}: next request in {seconds:.0f} s."


_IN_WORDS = {
    WaitReason.REQUESTS: "Rate limit",
    WaitReason.INPUT: "Rate limit of input tokens",
    WaitReason.OUTPUT: "Rate limit of output tokens",
    WaitReason.BLOCKED: "Claude asked to wait",
    WaitReason.TURN: "Rate limit, others go first",
}


@dataclass(frozen=True)
class Grant:
    """One request may be sent, after `delay`. It is sent, or it is released."""

    limit: "RequestLimit"
    id: int
    at: datetime  # by the database's clock
    delay: float  # seconds
    counted: bool  # whether a limit of tokens holds, so that what it uses must be told

    async def wait(self, sleep: Sleep) -> None:
        """Sleep until it may be sent; released when `sleep` raises."""
        try:
            await sleep(self.delay)
        except BaseException:  # cancelled, or told to stop
            await self.release()
            raise

    async def release(self) -> None:
        """Give it back: nothing is sent."""
        with suppress(*UNREACHABLE):  # then it counts in vain
            await self.limit.database(self.limit.release, [self])

    async def sent(self, reply: "Awaitable[Answer]") -> "Answer":
        """Await the reply, and tell the limit what became of the request."""
        keeper = asyncio.create_task(self._keep()) if self.counted else None
        try:
            answer = await reply
        except GenerationError as error:
            await self.limit.settle(self, failed=error)
            raise
        finally:
            if keeper:
                keeper.cancel()
        await self.limit.settle(self, answer)
        return answer

    async def _keep(self) -> None:
        """Let its reserved output count on while the reply may still come: a call can outlast the window."""
        window = self.limit.window
        rows = RateGrant.objects.filter(pk=self.id, settled=False)
        while True:
            await asyncio.sleep(window / 4)
            with suppress(*UNREACHABLE):
                await self.limit.database(rows.update, output_until=Now() + timedelta(seconds=window))


@dataclass
class RequestLimit:
    """One asker's view of the limits of an endpoint.

    `who` it is, for people; `workspace`, whose members may read that; `priority` may be changed at any time, and counts
    from the next ask on. `window` and `patience` are in seconds.
    """

    endpoint: Endpoint
    database: DatabaseThreads
    who: str = ""
    workspace: UUID | None = None
    priority: Priority = Priority.NORMAL
    window: float = WINDOW
    patience: float = PATIENCE
    _place: Place = field(default_factory=Place, init=False)
    _told_at: float = field(default=0.0, init=False)

    def acquire(self, wanted: int, place: Place | None = None) -> list[Grant] | Wait:
        """Up to `wanted` grants, one at least; or the wait after which to ask again, with a place in the queue.

        Ask again with the same `place`, or give it up (`withdraw`); without one, it is the asker's own.
        """
        place = place or self._place
        limited = self.endpoint
        limits = [limited.requests_per_minute, limited.input_tokens_per_minute, limited.output_tokens_per_minute]
        with connection.cursor() as cursor:
            cursor.execute(
                ASK,
                [
                    limited.limit_key,
                    limited.address,
                    [limit or None for limit in limits],
                    self.window,
                    self.patience,
                    wanted,
                    self.priority.value,
                    place.ticket,
                    self.who[:250],
                    self.workspace,
                ],
            )
            rows = cursor.fetchall()
        grants = [Grant(self, row[0], row[1], row[2], row[3]) for row in rows if row[0] is not None]
        if grants:
            place.ticket = None
            return grants
        [(_none, _due, seconds, _counted, place.ticket, ask_in, reason)] = rows
        return Wait(seconds, ask_in, WaitReason(reason))

    async def permit(self, sleep: Sleep = asyncio.sleep) -> Grant:
        """Return when one request may be sent. The wait holds no connection, and ends when `sleep` raises."""
        place = Place()
        try:
            while isinstance(answer := await self.database(self.acquire, 1, place), Wait):
                await sleep(answer.ask_in)
        except BaseException:  # cancelled, or told to stop
            with suppress(*UNREACHABLE):  # then it is passed over
                await self.database(self.withdraw, place)
            raise
        [grant] = answer
        await grant.wait(sleep)
        return grant

    def withdraw(self, place: Place | None = None) -> None:
        """Wait no longer."""
        place = place or self._place
        if place.ticket is not None:
            RateWaiter.objects.filter(pk=place.ticket).delete()
            place.ticket = None

    def release(self, grants: Iterable[Grant]) -> None:
        """Give back what will not be sent."""
        if ids := [grant.id for grant in grants]:
            RateGrant.objects.filter(pk__in=ids).delete()

    async def settle(
        self, grant: Grant, answer: "Answer | None" = None, *, failed: GenerationError | None = None
    ) -> None:
        """Tell what became of a request, where it matters to others. A reply is never lost for the telling."""
        if isinstance(failed, ReplyUnusable | ReplyRefused):
            answer = failed.answer  # it was paid for, and counts
        rate = answer.rate if answer else failed.rate if failed else NOTHING_SAID
        if not (grant.counted or rate.tokens_limited or isinstance(failed, RateLimited) or self._is_due(rate)):
            return
        try:
            await self.database(self._settle, grant, answer.usage if answer else None, rate, failed)
        except UNREACHABLE:
            logger.exception("What request %s used could not be told to the rate limit", grant.id)

    def _settle(self, grant: Grant, usage: "Usage | None", rate: RateHeaders, failed: GenerationError | None) -> None:
        # Tokens read from the prompt cache are free of the limit: https://platform.claude.com/docs/en/api/rate-limits
        used = [usage.input + usage.cache_write, usage.output] if usage else None
        refused = isinstance(failed, RateLimited)
        pause = failed.retry_after if isinstance(failed, RetryLater) else None
        said = [None, None] if rate == NOTHING_SAID else [rate.limits, rate.remaining]
        with connection.cursor() as cursor:
            cursor.execute(
                SETTLE,
                [
                    self.endpoint.limit_key,
                    grant.id,
                    grant.at,
                    self.window,
                    used,
                    *said,
                    refused,
                    rate.exhausted_for if pause is None else pause,
                    refused and rate.exhausted,
                ],
            )

    def _is_due(self, rate: RateHeaders) -> bool:
        """Whether headers that limit requests alone are to be told, so as not to add a statement to each request."""
        now = time.monotonic()
        if rate.requests.limit is None or now - self._told_at < TOLD_EVERY:
            return False
        self._told_at = now
        return True
