"""Enforced rate limits and the headers that tell of them, through the real SDK."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from generation.simulated import clock
from generation.simulated.running import Listening
from tests.generation.simulated.sdk import ask, cached, message

Start = Callable[..., Listening]


def headers(url: str, prompt: str = "Hello?", **changes: Any) -> dict[str, str]:
    """The headers of a reply, or of a refusal, without their common beginning."""

    async def use(sdk: AsyncAnthropic) -> dict[str, str]:
        try:
            found = (await sdk.messages.with_raw_response.create(**message(prompt, **changes))).headers
        except anthropic.APIStatusError as error:
            found = error.response.headers
        return {
            name.removeprefix("anthropic-ratelimit-"): value
            for name, value in found.items()
            if name.startswith("anthropic-ratelimit-") or name == "retry-after"
        }

    return ask(url, use)


def refused(url: str, prompt: str = "Hello?", **changes: Any) -> anthropic.RateLimitError:
    with pytest.raises(anthropic.RateLimitError) as raised:
        ask(url, lambda sdk: sdk.messages.create(**message(prompt, **changes)))
    return raised.value


@pytest.fixture(autouse=True)
def _clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated Claude's clock goes by `advance` alone: what a busy machine takes is not refilled meanwhile."""
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=time.time, monotonic=lambda: 1_000.0))


def in_seconds(date: str) -> float:
    """From now to a date, in seconds."""
    return (datetime.fromisoformat(date) - datetime.now(UTC)).total_seconds()


def test_without_limits_there_are_no_headers(start_claude: Start) -> None:
    assert headers(start_claude().url) == {}


def test_every_reply_tells_of_every_limit(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=60, input_tokens_per_minute=50_000, output_tokens_per_minute=8_000)
    told = headers(claude.url, "a" * 8_000, output_config={"effort": "low"})
    [arrival] = claude.claude.arrivals
    written = arrival.usage["output_tokens"]
    dates = {name: told.pop(name) for name in [*told] if name.endswith("reset")}
    assert told == {
        "requests-limit": "60",
        "requests-remaining": "59",
        "input-tokens-limit": "50000",
        "input-tokens-remaining": "48000",
        "output-tokens-limit": "8000",
        "output-tokens-remaining": str(8_000 - written),
        "tokens-limit": "58000",
        "tokens-remaining": str(48_000 + 8_000 - written),
    }
    assert set(dates) == {f"{name}-reset" for name in ("requests", "input-tokens", "output-tokens", "tokens")}
    assert all(date.endswith("Z") for date in dates.values())
    assert dates["tokens-reset"] == max(dates["input-tokens-reset"], dates["output-tokens-reset"])
    assert -1 < in_seconds(dates["requests-reset"]) < 3  # one of 60 a minute is there again after a second


def test_a_request_too_many_is_refused_and_told_when_to_come_again(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=6)
    for left in range(5, -1, -1):
        assert headers(claude.url)["requests-remaining"] == str(left)
    error = refused(claude.url)
    assert error.type == "rate_limit_error"
    assert "6 requests per minute" in str(error)
    assert error.response.headers["retry-after"] == "10"
    assert error.response.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert 55 < in_seconds(error.response.headers["anthropic-ratelimit-requests-reset"]) < 62
    assert [arrival.status for arrival in claude.claude.arrivals] == [200] * 6 + [429]


def test_whoever_waits_as_told_is_served_again(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=6)
    for _ in range(6):
        headers(claude.url)
    wait = int(refused(claude.url).response.headers["retry-after"])
    claude.claude.clock.advance(wait)
    assert "retry-after" not in headers(claude.url)
    refused(claude.url)


def test_the_bucket_is_refilled_all_the_time_and_never_over_a_minutes_worth(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=60)
    for _ in range(10):
        headers(claude.url)
    claude.claude.clock.advance(5)
    assert headers(claude.url)["requests-remaining"] == "54"
    claude.claude.clock.advance(3_600)
    assert headers(claude.url)["requests-remaining"] == "59"


def test_input_tokens_are_taken_when_the_request_comes(start_claude: Start) -> None:
    claude = start_claude(input_tokens_per_minute=1_000)
    assert headers(claude.url, "a" * 2_400)["input-tokens-remaining"] == "400"
    error = refused(claude.url, "b" * 2_400)
    assert "1,000 input tokens per minute" in str(error)
    assert error.response.headers["anthropic-ratelimit-input-tokens-remaining"] == "0"
    assert int(error.response.headers["retry-after"]) == 12
    assert int(headers(claude.url, "c" * 400)["input-tokens-remaining"]) == 300


def test_a_refused_request_costs_nothing(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=10, input_tokens_per_minute=1_000)
    for _ in range(5):
        refused(claude.url, "a" * 8_000)
    assert headers(claude.url, "a" * 400)["requests-remaining"] == "9"


def test_a_request_larger_than_the_limit_never_fits(start_claude: Start) -> None:
    claude = start_claude(input_tokens_per_minute=1_000)
    refused(claude.url, "a" * 8_000)
    claude.claude.clock.advance(3_600)
    refused(claude.url, "a" * 8_000)


def test_what_is_read_from_the_cache_does_not_count_and_what_is_written_does(start_claude: Start) -> None:
    claude = start_claude(input_tokens_per_minute=2_000)
    assert int(headers(claude.url, "a" * 400, system=[cached()])["input-tokens-remaining"]) in range(650, 670)
    for number in range(4):
        assert "retry-after" not in headers(claude.url, f"{number}" * 400, system=[cached()])
    assert claude.claude.arrivals[-1].usage["cache_read_input_tokens"] == 1_250


def test_output_tokens_are_taken_when_they_are_written_whatever_max_tokens_says(start_claude: Start) -> None:
    claude = start_claude(output_tokens_per_minute=10)
    assert headers(claude.url, max_tokens=10_000)["output-tokens-remaining"] == "0"
    written = claude.claude.arrivals[0].usage["output_tokens"]
    assert written > 10
    error = refused(claude.url)
    assert "10 output tokens per minute" in str(error)
    wait = int(error.response.headers["retry-after"])
    assert wait == pytest.approx((written - 9) * 6, abs=1)
    claude.claude.clock.advance(wait)
    assert "retry-after" not in headers(claude.url)


def test_each_model_has_limits_of_its_own(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=1)
    headers(claude.url)
    refused(claude.url)
    assert headers(claude.url, model="claude-opus-5-5")["requests-remaining"] == "0"


def test_batches_and_counts_have_limits_of_their_own(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=2, input_tokens_per_minute=1_000)
    for _ in range(2):
        headers(claude.url)
    refused(claude.url)

    async def counted(sdk: AsyncAnthropic) -> dict[str, str]:
        asked = {name: value for name, value in message().items() if name != "max_tokens"}
        return dict((await sdk.messages.with_raw_response.count_tokens(**asked)).headers)

    async def listed(sdk: AsyncAnthropic) -> dict[str, str]:
        return dict((await sdk.messages.batches.with_raw_response.list()).headers)

    for use in (counted, listed):
        assert ask(claude.url, use)["anthropic-ratelimit-requests-remaining"] == "1"
        assert "anthropic-ratelimit-input-tokens-limit" not in ask(claude.url, use)
        with pytest.raises(anthropic.RateLimitError):
            ask(claude.url, use)


def test_a_limit_can_be_changed_while_it_runs(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=1)
    headers(claude.url)
    claude.claude.behaviour.requests_per_minute = 100
    assert headers(claude.url)["requests-remaining"] == "99"
    claude.claude.behaviour.requests_per_minute = 0
    assert headers(claude.url) == {}


def test_refusals_and_errors_tell_of_the_limits_too(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=10)
    assert headers(claude.url, max_tokens=200_000)["requests-remaining"] == "10", "what breaks a rule costs nothing"
    claude.claude.behaviour.script.append("529")
    assert headers(claude.url)["requests-remaining"] == "9"


def test_a_scripted_429_does_not_say_that_a_limit_is_used_up(start_claude: Start) -> None:
    claude = start_claude(requests_per_minute=10)
    claude.claude.behaviour.script.append("429:7")
    told = headers(claude.url)
    assert (told["retry-after"], told["requests-remaining"]) == ("7", "9")
    claude.claude.behaviour.requests_per_minute = 0
    claude.claude.behaviour.script.append("429")
    assert headers(claude.url) == {"retry-after": "1"}


def test_many_tokens_are_told_in_thousands(start_claude: Start) -> None:
    claude = start_claude(input_tokens_per_minute=1_000_000)
    assert headers(claude.url, "a" * 6_000)["input-tokens-remaining"] in ("998000", "999000")
