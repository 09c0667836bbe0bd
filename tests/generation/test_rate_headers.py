"""What replies' headers say about the limits, read from real HTTP, and what cannot be read."""

import asyncio

import pytest

from generation import errors
from generation.answers import Answer
from generation.claude import Claude
from generation.endpoint import Endpoint
from generation.rate_headers import MOST, NOTHING_SAID, LimitSaid, RateHeaders, rate_headers
from tests.generation.raw_server import Raw, answering, error, message

DATE = "Tue, 24 Nov 2026 12:00:00 GMT"
SAID = {
    "date": DATE,
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-24T12:00:01Z",
    "anthropic-ratelimit-input-tokens-limit": "30000",
    "anthropic-ratelimit-input-tokens-remaining": "0",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-24T12:00:12.5Z",
    "anthropic-ratelimit-output-tokens-limit": "8000",
    "anthropic-ratelimit-output-tokens-remaining": "8000",
    "anthropic-ratelimit-output-tokens-reset": "2026-11-24T11:59:00Z",
}
READ = RateHeaders(LimitSaid(50, 49, 1.0), LimitSaid(30_000, 0, 12.5), LimitSaid(8_000, 8_000, 0.0))


def test_every_limit_is_read_with_what_remains_and_when_it_is_full_by_the_servers_own_clock() -> None:
    said = rate_headers(SAID)
    assert said == READ
    assert said.limits == [50, 30_000, 8_000]
    assert said.remaining == [49, 0, 8_000]
    assert said.tokens_limited


def test_what_is_exhausted_says_for_how_long() -> None:
    said = rate_headers(SAID)
    assert said.exhausted
    assert said.exhausted_for == 12.5
    not_exhausted = rate_headers({"anthropic-ratelimit-requests-remaining": "1"})
    assert (not_exhausted.exhausted, not_exhausted.exhausted_for) == (False, None)


def test_without_headers_nothing_is_said() -> None:
    assert rate_headers({}) == NOTHING_SAID
    assert not NOTHING_SAID.tokens_limited


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "٣", "0x10", "9" * 5_000])
def test_a_number_that_cannot_be_read_is_not_said(text: str) -> None:
    assert rate_headers({"anthropic-ratelimit-requests-remaining": text}) == NOTHING_SAID


def test_a_limit_of_nothing_is_not_believed() -> None:
    said = rate_headers({"anthropic-ratelimit-requests-limit": "0", "anthropic-ratelimit-requests-remaining": "0"})
    assert said.requests == LimitSaid(None, 0)


def test_a_number_that_no_column_holds_is_cut() -> None:
    assert rate_headers({"anthropic-ratelimit-requests-limit": "9" * 30}).requests.limit == MOST


@pytest.mark.parametrize("moment", ["soon", "2026-11-24T12:00:01", "12"])
def test_a_moment_that_cannot_be_read_is_not_said(moment: str) -> None:
    assert rate_headers({"date": DATE, "anthropic-ratelimit-requests-reset": moment}) == NOTHING_SAID


def _send(answer: Raw) -> Answer:
    async def send(url: str) -> Answer:
        async with Claude(Endpoint(url, "key", 50), timeout=5) as claude:
            return await claude.send({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi."}]})

    with answering(answer) as server:
        return asyncio.run(send(server.url))


def _with_headers(answer: Raw) -> Raw:
    return Raw(answer.status, answer.body, {**answer.headers, **SAID})


def _numbers(said: RateHeaders) -> list[int | None]:
    """Without the moments: the server's clock is today's."""
    return said.limits + said.remaining


def test_an_answer_carries_them() -> None:
    assert _numbers(_send(_with_headers(message())).rate) == _numbers(READ)
    assert _send(message()).rate == NOTHING_SAID


@pytest.mark.parametrize("status", [429, 529, 400])
def test_an_error_carries_them(status: int) -> None:
    with pytest.raises(errors.GenerationError) as raised:
        _send(_with_headers(error(status, "odd_error", "no")))
    assert _numbers(raised.value.rate) == _numbers(READ)


def test_what_was_paid_for_in_vain_carries_them() -> None:
    with pytest.raises(errors.ReplyCutOff) as raised:
        _send(_with_headers(message(stop_reason="max_tokens")))
    assert raised.value.answer is not None
    assert _numbers(raised.value.answer.rate) == _numbers(READ)
