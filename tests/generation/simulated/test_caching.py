"""The prompt cache, as the usage of replies tells of it, through the real SDK."""

import asyncio
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Usage

from generation.simulated.capabilities import MODELS
from generation.simulated.running import Listening
from tests.generation.simulated.sdk import ask, cached, message

FIVE_MINUTES, HOUR = 300.0, 3_600.0


def sent(listening: Listening, prompt: str = "Hello?", **changes: Any) -> Usage:
    return ask(listening.url, lambda sdk: sdk.messages.create(**message(prompt, **changes))).usage


def figures(usage: Usage) -> tuple[int, int | None, int | None]:
    """Tokens read afresh, written to the cache, read from it."""
    return usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens


def test_the_first_request_writes_and_the_second_reads(listening: Listening) -> None:
    assert figures(sent(listening, "a" * 400, system=[cached()])) == (100, 1_250, 0)
    assert figures(sent(listening, "b" * 800, system=[cached()])) == (200, 0, 1_250)


def test_without_cache_control_nothing_is_cached(listening: Listening) -> None:
    for _ in range(2):
        assert figures(sent(listening, "a" * 8_000))[1:] == (0, 0)


def test_other_words_and_other_models_have_other_entries(listening: Listening) -> None:
    sent(listening, system=[cached()])
    assert figures(sent(listening, system=[cached("Other words. " * 400)]))[2] == 0
    assert figures(sent(listening, system=[cached()], model="claude-opus-5-5"))[2] == 0
    tool = {"name": "look_up", "input_schema": {"type": "object"}}
    assert figures(sent(listening, system=[cached()], tools=[tool]))[2] == 0, "tools come before the system prompt"


def test_an_entry_lasts_five_minutes_from_its_last_use(listening: Listening) -> None:
    sent(listening, system=[cached()])
    for _ in range(3):
        listening.claude.clock.advance(FIVE_MINUTES - 10)
        assert figures(sent(listening, system=[cached()]))[2] == 1_250
    listening.claude.clock.advance(FIVE_MINUTES + 1)
    assert figures(sent(listening, system=[cached()]))[1:] == (1_250, 0)


def test_an_entry_of_an_hour_lasts_an_hour_and_is_told_apart(listening: Listening) -> None:
    first = sent(listening, system=[cached(ttl="1h")])
    assert first.cache_creation is not None
    assert first.cache_creation.to_dict() == {"ephemeral_1h_input_tokens": 1_250, "ephemeral_5m_input_tokens": 0}
    listening.claude.clock.advance(HOUR - 10)
    assert figures(sent(listening, system=[cached(ttl="1h")]))[2] == 1_250
    listening.claude.clock.advance(HOUR + 1)
    assert figures(sent(listening, system=[cached(ttl="1h")]))[2] == 0


def test_a_long_and_a_short_part_are_written_each_for_its_time(listening: Listening) -> None:
    parts = [cached(ttl="1h"), cached("And more. " * 400)]
    usage = sent(listening, system=parts)
    assert usage.cache_creation is not None
    assert usage.cache_creation.to_dict() == {"ephemeral_1h_input_tokens": 1_250, "ephemeral_5m_input_tokens": 1_000}
    listening.claude.clock.advance(FIVE_MINUTES + 1)
    assert figures(sent(listening, system=parts))[1:] == (1_000, 1_250)


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "claude-sonnet-4-6", "claude-haiku-4-5"])
def test_a_prefix_shorter_than_the_models_least_is_not_cached(listening: Listening, model: str) -> None:
    least = MODELS[model].least_cached
    short, long = cached("a" * (least * 4 - 4)), cached("b" * (least * 4))
    for _ in range(2):
        assert figures(sent(listening, system=[short], model=model))[1:] == (0, 0)
    assert figures(sent(listening, system=[long], model=model))[1:] == (least, 0)
    assert figures(sent(listening, system=[long], model=model))[1:] == (0, least)


def test_a_conversation_that_grows_reads_what_was_there_and_writes_what_is_new(listening: Listening) -> None:
    """The request's own `cache_control` is that of its last block; what was written earlier is found before it."""
    turns: list[dict[str, Any]] = [{"role": "user", "content": "a" * 4_000}]
    automatic = {"type": "ephemeral"}
    assert figures(sent(listening, messages=turns, cache_control=automatic)) == (0, 1_000, 0)
    turns += [{"role": "assistant", "content": "b" * 400}, {"role": "user", "content": "c" * 400}]
    assert figures(sent(listening, messages=turns, cache_control=automatic)) == (0, 200, 1_000)
    assert figures(sent(listening, messages=turns, cache_control=automatic)) == (0, 0, 1_200)


@pytest.mark.parametrize(("between", "read"), [(20, 1_000), (21, 0)])
def test_a_breakpoint_looks_back_at_20_blocks(listening: Listening, between: int, read: int) -> None:
    first = cached("a" * 4_000)
    sent(listening, messages=[{"role": "user", "content": [first]}])
    plain = {name: value for name, value in first.items() if name != "cache_control"}
    more = [{"type": "text", "text": f"{number}"} for number in range(between - 1)]
    usage = sent(listening, messages=[{"role": "user", "content": [plain, *more, cached("the end")]}])
    assert usage.cache_read_input_tokens == read


def test_an_entry_can_be_read_only_once_the_reply_that_writes_it_has_begun(listening: Listening) -> None:
    listening.claude.behaviour.latency = 0.2

    async def use(sdk: AsyncAnthropic) -> list[int | None]:
        both = [sdk.messages.create(**message(system=[cached()])) for _ in range(2)]
        replies = [*await asyncio.gather(*both), await sdk.messages.create(**message(system=[cached()]))]
        return [reply.usage.cache_read_input_tokens for reply in replies]

    assert ask(listening.url, use) == [0, 0, 1_250]


def test_a_request_that_fails_writes_nothing(listening: Listening) -> None:
    listening.claude.behaviour.script.append("529")
    ask(listening.url, lambda sdk: sdk.messages.create(**message(system=[cached()])), max_retries=1)
    [failed, good] = listening.claude.arrivals
    assert (failed.usage, good.usage["cache_creation_input_tokens"]) == ({}, 1_250)


def test_a_request_for_no_tokens_fills_the_cache(listening: Listening) -> None:
    warming = ask(listening.url, lambda sdk: sdk.messages.create(**message(max_tokens=0, system=[cached()])))
    assert (warming.content, warming.stop_reason, warming.usage.output_tokens) == ([], "max_tokens", 0)
    assert figures(sent(listening, system=[cached()]))[2] == 1_250
