"""Counting tokens, through the real SDK: as many as the same request has when it is sent."""

from typing import Any

import anthropic
import pytest

from generation.simulated.running import Listening
from tests.generation.simulated.sdk import MODEL, ask, cached, message

TOOL = {"name": "look_up", "description": "Looks it up.", "input_schema": {"type": "object", "properties": {}}}


def counted(url: str, **request: Any) -> int:
    asked = {name: value for name, value in request.items() if name != "max_tokens"}
    return ask(url, lambda sdk: sdk.messages.count_tokens(**asked)).input_tokens


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"system": "You are kind. " * 50},
        {"system": [cached()]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello? " * 30}]}]},
        {"tools": [TOOL]},
        {"cache_control": {"type": "ephemeral"}},
        {"output_config": {"effort": "low"}, "thinking": {"type": "adaptive"}},
    ],
    ids=str,
)
def test_it_is_what_the_same_request_is_billed(listening: Listening, changes: dict[str, Any]) -> None:
    request = message("How do I begin to save?", **changes)
    count = counted(listening.url, **request)
    usage = ask(listening.url, lambda sdk: sdk.messages.create(**request)).usage
    assert count == usage.input_tokens + (usage.cache_creation_input_tokens or 0) > 0


def test_four_characters_are_one_token(listening: Listening) -> None:
    assert counted(listening.url, **message("a" * 4_000)) == 1_000


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"messages": []}, "messages: at least one message is required"),
        ({"extra_body": {"max_tokens": 100}}, "max_tokens: Extra inputs are not permitted"),
        ({"extra_body": {"temperature": 1}}, "temperature: Extra inputs are not permitted"),
        ({"thinking": {"type": "disabled"}}, "is not supported for this model"),
    ],
    ids=str,
)
def test_the_rules_of_messages_hold_here_too(listening: Listening, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=complaint):
        counted(listening.url, **message(**changes))


def test_an_unknown_model_is_not_found(listening: Listening) -> None:
    with pytest.raises(anthropic.NotFoundError, match="model: claude-sonnet-99"):
        counted(listening.url, **message(model="claude-sonnet-99"))


def test_counting_is_no_message(listening: Listening) -> None:
    counted(listening.url, **message())
    assert listening.claude.requests == []
    [arrival] = listening.claude.arrivals
    assert (arrival.endpoint, arrival.model, arrival.status) == ("count_tokens", MODEL, 200)
