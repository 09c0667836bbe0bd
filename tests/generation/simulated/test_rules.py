"""What simulated Claude refuses, as API version 2026-10-21 does: through the real SDK, and with plain HTTP."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from generation import errors
from generation.answers import Answer
from generation.claude import Claude
from generation.endpoint import Endpoint
from generation.reply import output_format
from generation.simulated.running import Listening, beside
from generation.simulated.server import Behaviour, SimulatedClaude

GOOD: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello?"}],
}
HEADERS = {"x-api-key": "any", "anthropic-version": "2026-10-21", "content-type": "application/json"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Listening]:
    """One server for the long tables: its rules know no yesterday."""
    with beside(SimulatedClaude(Behaviour(latency=0), remember=True)) as running:
        yield running


def post(url: str, body: object, **changes: str | None) -> tuple[int, dict[str, Any]]:
    """Status and reply to a request over plain HTTP; `x_api_key=None` leaves a header out."""
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {name: value for name, value in {**HEADERS, **changed}.items() if value is not None}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/messages", raw, headers), timeout=10) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def send(url: str, request: dict[str, Any], *, key: str = "test-key") -> Answer:
    async def once() -> Answer:
        async with Claude(Endpoint(url, key, 50), timeout=10) as claude:
            return await claude.send(request)

    return asyncio.run(once())


def test_a_good_request_is_answered(listening: Listening) -> None:
    status, reply = post(listening.url, GOOD)
    assert (status, reply["type"], reply["role"], reply["stop_reason"]) == (200, "message", "assistant", "end_turn")


TOOL = {"name": "look_up", "input_schema": {"type": "object"}}
USER, ASSISTANT = GOOD["messages"][0], {"role": "assistant", "content": "Hi."}


def of_user(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [*blocks]}]}


def text(words: str = "Hello?", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def short(**control: Any) -> dict[str, Any]:
    return text(cache_control={"type": "ephemeral", **control})


ODD: list[tuple[dict[str, Any], str]] = [
    ({"temperature": 0.7}, "temperature: Extra inputs are not permitted"),
    ({"temperature": 1.0}, "temperature: Extra inputs are not permitted"),
    ({"top_p": 0.9}, "top_p: Extra inputs are not permitted"),
    ({"top_k": 5}, "top_k: Extra inputs are not permitted"),
    ({"temprature": 0.7}, "temprature: Extra inputs are not permitted"),
    ({"model": None}, "model: Input should be a valid string"),
    ({"model": ["a"]}, "model: Input should be a valid string"),
    ({"max_tokens": -1}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": "100"}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": 10.5}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": 128_001, "stream": True}, "max_tokens: 128001 > 128000, which is the maximum allowed number"),
    ({"max_tokens": 21_334}, "max_tokens: Streaming is required for operations that may take longer than 10 minutes"),
    ({"max_tokens": 0, "output_config": output_format()}, "max_tokens: 0 is not supported with batches, streaming"),
    ({"max_tokens": 0, "stream": True}, "max_tokens: 0 is not supported with batches, streaming"),
    ({"max_tokens": 0, "thinking": {"type": "adaptive"}}, "max_tokens: 0 is not supported with batches, streaming"),
    ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    ({"service_tier": "priority"}, "service_tier: Input should be 'auto' or 'standard_only'"),
    ({"metadata": "me"}, "metadata: Input should be an object"),
    ({"metadata": {"user_id": 7}}, "metadata: Input should be an object whose user_id is a string"),
    ({"metadata": {"run": "7"}}, "metadata.run: Extra inputs are not permitted"),
    ({"stop_sequences": "x"}, "stop_sequences: Input should be a valid list"),
    ({"stop_sequences": ["x", " "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
    # Messages and the system prompt
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": "Hello?"}, "messages: at least one message is required"),
    ({"messages": [USER] * 100_001}, "messages: List should have at most 100000 items, not 100001"),
    ({"messages": ["Hello?"]}, "messages.0.role: Input should be 'user', 'assistant' or 'system'"),
    ({"messages": [{"role": ["user"], "content": "x"}]}, "messages.0.role: Input should be 'user'"),
    ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role: a 'system' message must directly follow"),
    ({"messages": [ASSISTANT, USER]}, 'messages.0.role: first message must use the "user" role'),
    ({"messages": [{**USER, "name": "Ada"}]}, "messages.0.name: Extra inputs are not permitted"),
    ({"messages": [{"role": "user"}]}, "messages.0: content must not be empty"),
    ({"messages": [{"role": "user", "content": ""}]}, "messages.0: content must not be empty"),
    ({"messages": [{"role": "user", "content": " \n"}]}, "messages.0: text content blocks must contain non-whitespace"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages.0: content must not be empty"),
    (of_user(), "messages.0: content must not be empty"),
    (of_user("x"), "messages.0.0.type: Field required"),
    (of_user({"text": "x"}), "messages.0.0.type: Field required"),
    (of_user(text("")), "messages.0.0: text content blocks must be non-empty"),
    (of_user(text(" ")), "messages.0.0: text content blocks must contain non-whitespace text"),
    (of_user(text(colour="red")), "messages.0.0.text.colour: Extra inputs are not permitted"),
    (of_user(text(citations=[{"type": "char_location"}])), "messages.0.0.text.citations: citations are not permitted"),
    (
        of_user({"type": "thinking", "thinking": "x"}),
        "messages.0.0: 'thinking' blocks are not permitted in 'user' content",
    ),
    (of_user({"type": "poem"}), "messages.0.0: 'poem' blocks are not permitted in 'user' content"),
    (
        {"messages": [USER, {"role": "assistant", "content": [{"type": "document"}]}, USER]},
        "messages.1.0: 'document' blocks are not permitted in 'assistant' content",
    ),
    ({"messages": [USER, {"role": "assistant", "content": "{"}]}, "does not support assistant message prefill"),
    ({"system": 7}, "system: content must not be empty"),
    ({"system": [{"text": "x"}]}, "system.0.type: Field required"),
    ({"system": [text("")]}, "system.0: text content blocks must be non-empty"),
    ({"system": [{"type": "image"}]}, "system.0: 'image' blocks are not permitted in 'system' content"),
    # Caching
    ({"system": [short()] * 5}, "A maximum of 4 blocks with cache_control may be provided. Found 5."),
    ({"system": [short()] * 4, "cache_control": {"type": "ephemeral"}}, "A maximum of 4 blocks with cache_control"),
    ({"system": [short(type="eternal")]}, "system.0.cache_control.type: Input should be 'ephemeral'"),
    ({"system": [short(ttl="1d")]}, "system.0.cache_control.ttl: Input should be '5m' or '1h'"),
    ({"system": [short(size=5)]}, "system.0.cache_control.size: Extra inputs are not permitted"),
    ({"cache_control": "yes"}, "cache_control.type: Input should be 'ephemeral'"),
    (
        {"system": [short()], **of_user(short(ttl="1h"))},
        "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
    ),
    # Output
    ({"output_config": "low"}, "output_config: Input should be an object"),
    (
        {"output_config": {"effort": "huge"}},
        "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or",
    ),
    ({"output_config": {"effort": 3}}, "output_config.effort: Input should be 'low'"),
    ({"output_config": {"length": 3}}, "output_config.length: Extra inputs are not permitted"),
    ({"output_config": {"format": "json"}}, "output_config.format.type: Input should be 'json_schema'"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema: Input should be an object"),
    (
        {"output_config": {"format": {"type": "json_schema", "schema": {}, "name": "x"}}},
        "output_config.format.name: Extra inputs are not permitted",
    ),
    # Thinking and tools
    ({"thinking": "yes"}, "thinking: Input should be an object"),
    ({"thinking": {}}, "thinking.type: Input should be 'adaptive', 'between_tools', 'disabled' or 'enabled'"),
    (
        {"thinking": {"type": "disabled"}},
        '"thinking.type.disabled" is not supported for this model. Use "thinking.type.a',
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1_024}},
        '"thinking.type.enabled" is not supported for this model',
    ),
    (
        {"thinking": {"type": "adaptive", "budget_tokens": 1_024}},
        "thinking.adaptive.budget_tokens: Extra inputs are not permitted",
    ),
    (
        {"thinking": {"type": "adaptive", "display": "loud"}},
        "thinking.adaptive.display: Input should be 'summarized' or",
    ),
    ({"tools": {}}, "tools: Input should be a valid list"),
    ({"tools": ["look_up"]}, "tools.0.name: Field required"),
    ({"tools": [{"name": "look up"}]}, "tools.0.name: String should match pattern"),
    ({"tools": [{"name": "look_up"}]}, "tools.0.custom.input_schema.type: Input should be 'object'"),
    ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
    ({"tool_choice": {"type": "auto"}}, "tool_choice: tool_choice may only be specified while providing tools"),
    (
        {"tools": [TOOL], "tool_choice": {"type": "all"}},
        "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'",
    ),
    ({"tools": [TOOL], "tool_choice": {"type": "any"}}, "forced tool use is not supported"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "look_up"}}, "forced tool use is not supported"),
    ({"tool_choice": "any"}, "tool_choice: Input should be an object"),
]


@pytest.mark.parametrize(("changes", "complaint"), ODD, ids=[complaint[:60] for _changes, complaint in ODD])
def test_a_request_that_breaks_a_rule_is_a_400_in_anthropics_shape(
    shared: Listening, changes: dict[str, Any], complaint: str
) -> None:
    taken = len(shared.claude.requests)
    status, reply = post(shared.url, {**GOOD, **changes})
    assert (status, reply["type"], reply["error"]["type"]) == (400, "error", "invalid_request_error")
    assert complaint in reply["error"]["message"]
    assert reply["request_id"].startswith("req_")
    assert len(shared.claude.requests) == taken


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages"])
def test_what_is_required_must_be_there(listening: Listening, name: str) -> None:
    status, reply = post(listening.url, {key: value for key, value in GOOD.items() if key != name})
    assert (status, reply["error"]["message"]) == (400, f"{name}: Field required")


HALF_A_PAIR = rb'{"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "\ud83d"}]}'


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, HALF_A_PAIR])
def test_what_is_no_json_object_is_refused(listening: Listening, body: bytes) -> None:
    status, reply = post(listening.url, body)
    assert (status, reply["error"]["message"]) == (400, "The request body is not valid JSON")


@pytest.mark.parametrize(
    "changes",
    [
        {"thinking": {"type": "adaptive", "display": "summarized"}},
        {"thinking": {"type": "between_tools"}},
        {"tool_choice": {"type": "auto"}, "tools": []},
        {"tool_choice": {"type": "none"}, "tools": [TOOL, {"type": "web_search_20260209", "name": "web_search"}]},
        {"system": ""},
        {"system": "Be kind."},
        {"system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]},
        {"messages": [USER, ASSISTANT, USER]},
        {"messages": [USER, USER, ASSISTANT, {"role": "user", "content": "And?"}]},
        {"messages": [USER, {"role": "system", "content": "From now on, rhyme."}]},
        of_user(text()),
        of_user({"type": "document", "source": {"type": "text", "data": "x"}}, text(citations=[])),
        {"system": [short(ttl="1h"), short()], **of_user(short(ttl="5m"))},
        {"cache_control": None, "container": None, "inference_geo": None, "speed": None, "diagnostics": None},
        {"output_config": {"effort": "low"}},
        {"output_config": {"effort": None, "format": None}},
        {"max_tokens": 21_333},
        {"metadata": {"user_id": "1"}, "stop_sequences": ["x"], "service_tier": "auto", "stream": False},
    ],
    ids=str,
)
def test_what_the_api_takes_is_taken(shared: Listening, changes: dict[str, Any]) -> None:
    status, reply = post(shared.url, {**GOOD, **changes})
    assert status == 200, reply


def test_a_version_that_there_is_is_required(listening: Listening) -> None:
    status, reply = post(listening.url, GOOD, anthropic_version=None)
    assert (status, reply["error"]["message"]) == (400, "anthropic-version: header is required")
    status, reply = post(listening.url, GOOD, anthropic_version="2030-01-01")
    assert (status, reply["error"]["message"]) == (400, 'anthropic-version: "2030-01-01" is not a valid version')


def test_a_request_has_32_megabytes_at_most(listening: Listening) -> None:
    """It is sent in full, in a length that is not announced."""
    body = json.dumps({**GOOD, "system": "a" * (32 * 1024 * 1024)}).encode()
    request = urllib.request.Request(f"{listening.url}/v1/messages", iter([body]), HEADERS)  # type: ignore[arg-type]
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=30)
    assert (raised.value.code, json.load(raised.value)["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize(("model", "most"), [("claude-sonnet-5-5", 1_000_000), ("claude-haiku-4-5", 200_000)])
def test_a_prompt_longer_than_the_models_window_is_refused(listening: Listening, model: str, most: int) -> None:
    status, reply = post(listening.url, {**GOOD, "model": model, "system": "a" * (most * 4)})
    assert status == 400
    assert reply["error"]["message"] == f"prompt is too long: {most + 1} tokens > {most} maximum"


@pytest.mark.parametrize("model", ["gpt-5", "claude-sonnet-99", "", "claude-sonnet-5-5 "])
def test_an_unknown_model_is_a_404(listening: Listening, model: str) -> None:
    status, reply = post(listening.url, {**GOOD, "model": model})
    if model:
        assert (status, reply["error"]["type"]) == (404, "not_found_error")
        assert reply["error"]["message"] == f"model: {model}"
    else:
        assert status == 400


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-haiku-4-5", "claude-haiku-5-5"])
def test_models_that_anthropic_has_are_known(listening: Listening, model: str) -> None:
    status, reply = post(listening.url, {**GOOD, "model": model})
    assert (status, reply["model"]) == (200, f"simulated-{model}")


def test_a_key_is_needed(listening: Listening) -> None:
    status, reply = post(listening.url, GOOD, x_api_key=None)
    assert (status, reply["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x_api_key": "right"}, 200),
        ({"x_api_key": "wrong"}, 401),
        ({"x_api_key": None, "authorization": "Bearer right"}, 200),
        ({"x_api_key": None, "authorization": "Bearer wrong"}, 401),
        ({"x_api_key": None, "authorization": "Bearer "}, 401),
    ],
)
def test_with_a_key_set_only_that_one_opens(listening: Listening, headers: dict[str, str | None], status: int) -> None:
    listening.claude.behaviour.api_key = "right"
    assert post(listening.url, GOOD, **headers)[0] == status


def test_the_key_comes_first_and_the_body_is_not_judged_without_it(listening: Listening) -> None:
    assert post(listening.url, b"{", x_api_key=None)[0] == 401


# --- The same through the SDK ----------------------------------------------------------------------------


def test_the_sdk_is_understood(listening: Listening) -> None:
    answer = send(listening.url, GOOD)
    assert answer.model == "simulated-claude-sonnet-5-5"
    assert answer.request_id.startswith("req_simulated_")
    assert listening.claude.requests == [GOOD]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"messages": [USER, {"role": "assistant", "content": "{"}]}, errors.RequestRefused),
        ({"extra_body": {"temperature": 0.7}}, errors.RequestRefused),
        ({"thinking": {"type": "disabled"}}, errors.RequestRefused),
        ({"model": "claude-sonnet-99"}, errors.ModelUnknown),
    ],
)
def test_the_sdk_meets_the_same_refusals(
    listening: Listening, changes: dict[str, Any], kind: type[errors.GenerationError]
) -> None:
    with pytest.raises(kind) as raised:
        send(listening.url, {**GOOD, **changes})
    assert raised.value.request_id.startswith("req_simulated_")


def test_the_sdk_is_refused_with_a_wrong_key(listening: Listening) -> None:
    listening.claude.behaviour.api_key = "right"
    with pytest.raises(errors.KeyRefused):
        send(listening.url, GOOD, key="wrong")
