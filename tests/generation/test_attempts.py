"""The attempts at one conversation, over real HTTP: how often, how long between, what they cost, what is logged."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, cast

import pytest

from generation import errors
from generation.answers import Answer
from generation.attempts import LONG_WAIT, Attempt, Attempts, Success
from generation.claude import Claude
from generation.endpoint import Endpoint
from generation.errors import GenerationError
from generation.limits import Grant, RequestLimit
from generation.reply import output_format
from generation.retries import RetryPolicy
from generation.simulated.server import SimulatedClaude
from tests.generation.raw_server import REQUEST_ID, Raw, answering, error, message

REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "<brief><persona>Saver</persona></brief>"}],
    "output_config": output_format(),
}
GOOD = message(content=[{"type": "text", "text": '{"title": "A talk", "turns": [{"role": "user", "content": "Hi."}]}'}])
NO_JSON = message()  # "Hello."
CUT_OFF = message(stop_reason="max_tokens")
REFUSED = message(content=[], stop_reason="refusal")
BUSY = error(529, "overloaded_error", "busy")
PAID = Decimal("0.003")  # for each message of the raw server: 1,000 tokens in at $2, 100 out at $10 per million


class Free(Grant):
    """A permit that no limit has given."""

    released: ClassVar[list[Grant]] = []

    async def sent(self, reply: Awaitable[Answer]) -> Answer:
        return await reply

    async def release(self) -> None:
        self.released.append(self)


@dataclass
class Run:
    """Makes attempts, and keeps what they did."""

    url: str
    most: int = 3
    strategy: str = "exponential"
    first_wait: float = 1.0
    lost_after: int = 100  # checks of the claim, after which somebody else has it
    checks: int = 0
    slept: list[float] = field(default_factory=list)
    logged: list[Attempt] = field(default_factory=list)
    permits: int = 0
    long_wait: float = LONG_WAIT
    spent_usd: Decimal = Decimal(0)

    def make(self) -> Success:
        return asyncio.run(self._make())

    def fail(self) -> GenerationError:
        with pytest.raises(GenerationError) as raised:
            self.make()
        return raised.value

    async def _make(self) -> Success:
        async with Claude(Endpoint(self.url, "test-key", 50), timeout=5) as claude:
            attempts = Attempts(
                claude,
                self._permit,
                self._log,
                self._check_claim,
                policy=RetryPolicy(self.most, self.strategy, self.first_wait),
                sleep=self._sleep,
                long_wait=self.long_wait,
            )
            try:
                return await attempts.make(REQUEST)
            finally:
                self.spent_usd = attempts.spent_usd

    async def _permit(self) -> Grant:
        self.permits += 1
        return Free(cast(RequestLimit, None), 0, datetime.now(UTC), 0.0, False)

    async def _check_claim(self) -> None:
        self.checks += 1
        if self.checks > self.lost_after:
            raise errors.NotClaimable

    async def _log(self, attempt: Attempt) -> None:
        self.logged.append(attempt)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_a_good_reply_takes_one_request_and_no_wait() -> None:
    with answering(GOOD) as server:
        run = Run(server.url)
        success = run.make()
    assert len(server.requests) == run.permits == 1
    assert run.slept == []
    assert run.logged == [], "the caller logs the success together with what it made"
    assert success.reply.title == "A talk"
    assert (success.attempt.number, success.attempt.request, success.attempt.error) == (1, REQUEST, None)
    assert success.spent_usd == success.attempt.cost.usd == PAID


def test_simulated_claude_is_read_like_the_real_one(claude: SimulatedClaude, listening: Any) -> None:
    success = Run(listening.url).make()
    assert len(success.reply.turns) >= 6
    assert success.answer.model == "simulated-claude-sonnet-5-5"
    assert success.spent_usd > 0


RETRIED = {
    "408": error(408, "timeout_error", "slow"),
    "409": error(409, "conflict_error", "busy"),
    "429": error(429, "rate_limit_error", "too fast"),
    "500": error(500, "api_error", "oops"),
    "503": error(503, "api_error", "oops"),
    "529": BUSY,
    "no JSON": NO_JSON,
    "cut off": CUT_OFF,
    "HTML": Raw(200, b"<html>", {"content-type": "text/html"}),
}
FINAL = {
    "400": error(400, "invalid_request_error", "odd"),
    "401": error(401, "authentication_error", "bad key"),
    "402": error(402, "billing_error", "no money"),
    "403": error(403, "permission_error", "not yours"),
    "404": error(404, "not_found_error", "model"),
    "413": error(413, "request_too_large", "too big"),
    "422": error(422, "invalid_request_error", "odd"),
    "spend limit": error(429, "rate_limit_error", "limit", code="enforced_spend_limit_reached"),
    "refused": REFUSED,
}


@pytest.mark.parametrize("answer", RETRIED.values(), ids=RETRIED.keys())
def test_what_may_pass_is_tried_three_times_in_all(answer: Raw) -> None:
    with answering(answer) as server:
        run = Run(server.url)
        problem = run.fail()
    assert isinstance(problem, errors.RetryLater)
    assert len(server.requests) == run.permits == 3, "each request needs its own permit"
    assert len(run.slept) == 2
    assert [attempt.number for attempt in run.logged] == [1, 2, 3]
    assert run.logged[-1].error is problem


@pytest.mark.parametrize("answer", RETRIED.values(), ids=RETRIED.keys())
def test_one_that_passes_costs_a_second_request(answer: Raw) -> None:
    with answering(answer, GOOD) as server:
        run = Run(server.url)
        success = run.make()
    assert len(server.requests) == 2
    assert [attempt.number for attempt in run.logged] == [1]
    assert success.attempt.number == 2


@pytest.mark.parametrize("answer", FINAL.values(), ids=FINAL.keys())
def test_what_will_not_pass_is_tried_once(answer: Raw) -> None:
    with answering(answer) as server:
        run = Run(server.url)
        problem = run.fail()
    assert not isinstance(problem, errors.RetryLater)
    assert len(server.requests) == len(run.logged) == 1
    assert run.slept == []


@pytest.mark.parametrize("most", [1, 2, 5])
def test_how_often_is_the_callers_choice(most: int) -> None:
    with answering(BUSY) as server:
        Run(server.url, most=most).fail()
        assert len(server.requests) == most


def test_the_waits_double_up_to_16_seconds_and_vary_by_a_quarter_at_most() -> None:
    with answering(BUSY) as server:
        run = Run(server.url, most=8)
        run.fail()
    assert len(run.slept) == 7
    for seconds, base in zip(run.slept, [1, 2, 4, 8, 16, 16, 16], strict=True):
        assert base <= seconds <= base * 1.25
    assert len(set(run.slept[-3:])) > 1, "many waiters must not come back at one moment"


@pytest.mark.parametrize(
    ("strategy", "waits"), [("linear", [2, 4, 6, 8, 10, 12, 14, 16, 16]), ("fixed", [2] * 9)], ids=["linear", "fixed"]
)
def test_the_waits_grow_as_the_strategy_says(strategy: str, waits: list[float]) -> None:
    with answering(BUSY) as server:
        run = Run(server.url, most=10, strategy=strategy, first_wait=2.0)
        run.fail()
    for seconds, base in zip(run.slept, waits, strict=True):
        assert base <= seconds <= base * 1.25


def test_the_claim_is_checked_before_every_request_but_the_first() -> None:
    with answering(BUSY, BUSY, GOOD) as server:
        run = Run(server.url)
        run.make()
    assert run.checks == 2


def test_after_a_long_wait_for_the_limit_the_claim_is_checked_before_the_first_request_too() -> None:
    with answering(GOOD) as server:
        run = Run(server.url, long_wait=0.0, lost_after=0)
        assert run.fail().code() == "not_claimable"
        assert server.requests == []


def test_nothing_more_is_sent_once_somebody_else_has_taken_over_and_the_permit_is_given_back() -> None:
    Free.released.clear()
    with answering(BUSY) as server:
        run = Run(server.url, most=5, lost_after=1)
        assert run.fail().code() == "not_claimable"
        assert len(server.requests) == 2
    assert (len(run.logged), len(Free.released)) == (2, 1)


@pytest.mark.parametrize(
    ("header", "least", "at_most"),
    [
        ("7", 7.0, 7.25),  # on top, a quarter of the first second
        ("0", 0.0, 0.0),
        ("0.2", 0.2, 0.25),
        ("100000", 300.0, 300.25),
        ("soon", 1.0, 1.25),
    ],
)
def test_what_claude_asks_to_wait_is_honoured_up_to_five_minutes(header: str, least: float, at_most: float) -> None:
    with answering(error(429, "rate_limit_error", "wait", retry_after=header), GOOD) as server:
        run = Run(server.url)
        run.make()
    [slept] = run.slept
    assert least <= slept <= at_most


def test_replies_that_could_not_be_used_are_paid_for_all_the_same() -> None:
    with answering(CUT_OFF, NO_JSON, BUSY, GOOD) as server:
        run = Run(server.url, most=4)
        success = run.make()
    assert [attempt.cost.usd for attempt in run.logged] == [PAID, PAID, 0]
    assert success.spent_usd == run.spent_usd == 3 * PAID


def test_what_was_spent_in_vain_is_known_after_the_last_failure() -> None:
    with answering(NO_JSON, CUT_OFF, BUSY) as server:
        run = Run(server.url)
        assert run.fail().code() == "overloaded"
    assert run.spent_usd == 2 * PAID


def test_a_refusal_is_paid_for() -> None:
    with answering(REFUSED) as server:
        run = Run(server.url)
        run.fail()
    assert run.spent_usd == PAID


def test_each_failed_attempt_is_logged_once_with_what_came_back() -> None:
    with answering(NO_JSON, CUT_OFF, BUSY) as server:
        run = Run(server.url)
        run.fail()
    codes = [attempt.error.code() if attempt.error else "" for attempt in run.logged]
    assert codes == ["reply_malformed", "reply_cut_off", "overloaded"]
    assert [bool(attempt.answer) for attempt in run.logged] == [True, True, False]
    assert all(attempt.request == REQUEST for attempt in run.logged)
    assert all(0 < attempt.duration < 5 for attempt in run.logged)
    answer = run.logged[0].answer
    assert answer is not None
    assert (answer.text, answer.request_id) == ("Hello.", REQUEST_ID)


def test_a_wait_that_is_told_to_stop_ends_the_attempts() -> None:
    class Stop(Exception):
        pass

    @dataclass
    class Stopped(Run):
        async def _sleep(self, seconds: float) -> None:
            raise Stop

    with answering(BUSY) as server:
        with pytest.raises(Stop):
            Stopped(server.url).make()
        assert len(server.requests) == 1
