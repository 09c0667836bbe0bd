"""What simulated Claude refuses, as API version 2026-10-21 does: through the real SDK, and with plain HTTP."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from generation import errors
from generation.claude import Answer, Claude
from generation.endpoint import Endpoint
from generation.simulated.running import Listening

GOOD: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello?"}],
}
HEADERS = {"x-api-key": "any", "anthropic-version": "2026-10-21", "content-type": "application/json"}


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


ODD: list[tuple[dict[str, Any], str]] = [
    ({"temperature": 0.7}, "temperature: sampling parameters are not supported"),
    ({"top_p": 0.9}, "top_p: sampling parameters are not supported"),
    ({"top_k": 5}, "top_k: sampling parameters are not supported"),
    ({"temprature": 0.7}, "temprature: Extra inputs are not permitted"),
    ({"model": None}, "model: Input should be a valid string"),
    ({"model": ["a"]}, "model: Input should be a valid string"),
    ({"max_tokens": 0}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": -1}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": "100"}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": 10.5}, "max_tokens: Input should be a valid integer"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": "Hello?"}, "messages: at least one message is required"),
    ({"messages": ["Hello?"]}, "messages.0.role: Input should be 'user' or 'assistant'"),
    ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role"),
    ({"messages": [{"role": "user"}]}, "messages.0: content must not be empty"),
    ({"messages": [{"role": "user", "content": ""}]}, "messages.0: content must not be empty"),
    ({"messages": [{"role": "user", "content": []}]}, "messages.0: content must not be empty"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages.0: content must not be empty"),
    ({"messages": [{"role": "user", "content": ["x"]}]}, "messages.0.0.type: Field required"),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        "text content blocks must be non-empty",
    ),
    (
        {"messages": [*GOOD["messages"], {"role": "assistant", "content": "{"}]},
        "does not support assistant message prefill",
    ),
    ({"system": 7}, "system: content must not be empty"),
    ({"system": [{"text": "x"}]}, "system.0.type: Field required"),
    ({"system": [{"type": "text", "text": ""}]}, "system.0: text content blocks must be non-empty"),
    ({"thinking": {"type": "disabled"}}, "only adaptive thinking"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1_024}}, "only adaptive thinking"),
    ({"thinking": "yes"}, "thinking: Input should be an object"),
    ({"tool_choice": {"type": "any"}}, "forced tool use is not supported"),
    ({"tool_choice": {"type": "tool", "name": "x"}}, "forced tool use is not supported"),
    ({"tool_choice": "any"}, "tool_choice: Input should be an object"),
]


@pytest.mark.parametrize(("changes", "complaint"), ODD, ids=[complaint for _changes, complaint in ODD])
def test_a_request_that_breaks_a_rule_is_a_400_in_anthropics_shape(
    listening: Listening, changes: dict[str, Any], complaint: str
) -> None:
    status, reply = post(listening.url, {**GOOD, **changes})
    assert (status, reply["type"], reply["error"]["type"]) == (400, "error", "invalid_request_error")
    assert complaint in reply["error"]["message"]
    assert reply["request_id"].startswith("req_")
    assert listening.claude.requests == []


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages"])
def test_what_is_required_must_be_there(listening: Listening, name: str) -> None:
    status, reply = post(listening.url, {key: value for key, value in GOOD.items() if key != name})
    assert (status, reply["error"]["message"]) == (400, f"{name}: Field required")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(listening: Listening, body: bytes) -> None:
    status, reply = post(listening.url, body)
    assert (status, reply["error"]["message"]) == (400, "The request body is not valid JSON")


@pytest.mark.parametrize(
    "changes",
    [
        {"thinking": {"type": "adaptive"}},
        {"tool_choice": {"type": "auto"}, "tools": []},
        {"system": ""},
        {"system": "Be kind."},
        {"system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]},
        {"messages": [*GOOD["messages"], {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "And?"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello?"}]}]},
        {"output_config": {"effort": "low"}},
        {"metadata": {"user_id": "1"}, "stop_sequences": ["x"]},
    ],
    ids=str,
)
def test_what_the_api_takes_is_taken(listening: Listening, changes: dict[str, Any]) -> None:
    status, reply = post(listening.url, {**GOOD, **changes})
    assert status == 200, reply


def test_an_older_version_still_takes_sampling_parameters(listening: Listening) -> None:
    status, _reply = post(listening.url, {**GOOD, "temperature": 0.7}, anthropic_version="2023-06-01")
    assert status == 200


def test_the_version_is_required(listening: Listening) -> None:
    status, reply = post(listening.url, GOOD, anthropic_version=None)
    assert (status, reply["error"]["message"]) == (400, "anthropic-version: header is required")


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
        ({"messages": [*GOOD["messages"], {"role": "assistant", "content": "{"}]}, errors.RequestRefused),
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
