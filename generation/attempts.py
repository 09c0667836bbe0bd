"""The attempts at one conversation: send, read, and send again where that may help. Every attempt is logged."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import tenacity

from generation.answers import Answer
from generation.claims import RENEW_SECONDS
from generation.claude import Claude
from generation.errors import GenerationError, ReplyRefused, ReplyUnusable, RetryLater
from generation.limits import Grant, Sleep
from generation.pricing import Cost, cost_of
from generation.reply import Reply, parse_reply
from generation.retries import RetryPolicy

NOTHING = Cost(Decimal(0), assumed=False)


@dataclass(frozen=True)
class Attempt:
    """One request and what became of it; the log's row."""

    number: int
    request: dict[str, Any]
    duration: float  # seconds
    answer: Answer | None = None
    cost: Cost = NOTHING
    error: GenerationError | None = None
    message_batch_id: str = ""  # Anthropic's; empty: it was sent live


@dataclass(frozen=True)
class Success:
    reply: Reply
    answer: Answer
    attempt: Attempt  # the last one, which is logged together with what it made
    spent_usd: Decimal  # by all attempts


# Seconds of waiting for the limit, in which the claim should have been renewed: it may not have been, when PostgreSQL
# could not be reached.
LONG_WAIT = RENEW_SECONDS


@dataclass
class Attempts:
    """How to try: where, how often, how to wait, and where to log the attempts that fail."""

    claude: Claude
    permit: Callable[[], Awaitable[Grant]]  # returns once a request may be sent
    log: Callable[[Attempt], Awaitable[None]]
    check_claim: Callable[[], Awaitable[None]]  # raises when what is asked for is no longer ours to make
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    sleep: Sleep = asyncio.sleep
    long_wait: float = LONG_WAIT
    requests: int = field(default=0, init=False)  # sent so far
    spent_usd: Decimal = field(default=Decimal(0), init=False)

    async def make(self, request: dict[str, Any]) -> Success:
        """Raises the last attempt's `GenerationError` when none succeeds; `spent_usd` tells what that cost."""
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(RetryLater),
            stop=tenacity.stop_after_attempt(self.policy.attempts),
            wait=self._wait,
            sleep=self.sleep,
            reraise=True,
        ):
            with attempt:
                return await self._once(request, attempt.retry_state.attempt_number)
        raise AssertionError("tenacity ends with a result or an exception")

    async def _once(self, request: dict[str, Any], number: int) -> Success:
        asked = time.monotonic()
        grant = await self.permit()
        if number > 1 or time.monotonic() - asked >= self.long_wait:
            # Somebody else may have taken over while we waited: do not pay for what cannot be saved.
            await self._check_claim(grant)
        self.requests += 1
        begun = time.monotonic()
        answer: Answer | None = None
        try:
            answer = await grant.sent(self.claude.send(request))
            reply = parse_reply(answer.text)
        except GenerationError as error:
            if answer is None and isinstance(error, ReplyUnusable | ReplyRefused):
                answer = error.answer
            await self.log(self._counted(number, request, begun, answer, error))
            raise
        attempt = self._counted(number, request, begun, answer, None)
        return Success(reply, answer, attempt, self.spent_usd)

    async def _check_claim(self, grant: Grant) -> None:
        try:
            await self.check_claim()
        except BaseException:
            await grant.release()
            raise

    def _counted(
        self,
        number: int,
        request: dict[str, Any],
        begun: float,
        answer: Answer | None,
        error: GenerationError | None,
    ) -> Attempt:
        cost = cost_of(answer.model, answer.usage, asked_for=request["model"]) if answer else NOTHING
        self.spent_usd += cost.usd
        return Attempt(number, request, time.monotonic() - begun, answer, cost, error)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, RetryLater) else None
        return self.policy.wait(state.attempt_number, asked)
