"""Streamed replies, through the real SDK."""

import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message

from generation.reply import output_format, parse_reply
from generation.simulated.running import Listening
from tests.generation.simulated.sdk import MODEL, ask, message

WANTED = message(max_tokens=64_000, output_config=output_format())


def streamed(url: str) -> tuple[str, Message]:
    """The text as it came, and the message in the end."""

    async def use(sdk: AsyncAnthropic) -> tuple[str, Message]:
        async with sdk.messages.stream(**WANTED) as stream:
            pieces = [piece async for piece in stream.text_stream]
            return "".join(pieces), await stream.get_final_message()

    return ask(url, use)


def test_a_streamed_reply_is_the_same_as_a_whole_one(listening: Listening) -> None:
    text, final = streamed(listening.url)
    assert parse_reply(text).turns
    assert (final.model, final.stop_reason) == (f"simulated-{MODEL}", "end_turn")
    assert final.usage.output_tokens == listening.claude.arrivals[0].usage["output_tokens"]
    assert "".join(block.text for block in final.content if block.type == "text") == text


def test_a_thought_and_a_refusal_can_be_streamed(listening: Listening) -> None:
    listening.claude.behaviour.script.extend(["thinking-first", "refusal"])
    text, final = streamed(listening.url)
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert parse_reply(text).turns
    text, final = streamed(listening.url)
    assert (text, final.stop_reason) == ("", "refusal")
    assert final.stop_details is not None and final.stop_details.category == "frontier_llm"


def test_what_fails_before_it_begins_is_an_error(listening: Listening) -> None:
    listening.claude.behaviour.script.append("529")
    with pytest.raises(anthropic.OverloadedError):
        streamed(listening.url)


def test_a_reply_of_such_a_length_must_be_streamed(listening: Listening) -> None:
    with pytest.raises(anthropic.BadRequestError, match="Streaming is required"):
        ask(listening.url, lambda sdk: sdk.messages.create(**WANTED))
