"""What some models take and others refuse, and that our lists are those of the SDK."""

import typing
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from anthropic.types import Model, content_block_param, message_count_tokens_params, message_create_params
from anthropic.types.output_config_param import OutputConfigParam

from generation.reply import output_format
from generation.simulated.capabilities import EFFORTS, MODELS
from generation.simulated.content_rules import OF_ASSISTANTS, OF_USERS
from generation.simulated.rules import OF_COUNTS, PARAMETERS
from generation.simulated.running import Listening, beside
from generation.simulated.server import Behaviour, SimulatedClaude
from tests.generation.simulated.sdk import ask, message

OLD = {"extra_headers": {"anthropic-version": "2023-06-01"}}
TOOL = {"name": "look_up", "input_schema": {"type": "object"}}
PREFILLED = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "{"}]
CORRECTED = [{"role": "user", "content": "Hello?"}, {"role": "system", "content": "Rhyme."}]


@pytest.fixture(scope="module")
def listening() -> Iterator[Listening]:
    """One server for all of these: its rules know no yesterday."""
    with beside(SimulatedClaude(Behaviour(latency=0))) as running:
        yield running


def complaint(listening: Listening, model: str, **changes: Any) -> str:
    """What a request is refused with; empty when it is answered."""
    try:
        ask(listening.url, lambda sdk: sdk.messages.create(**message(model=model, **changes)))
    except anthropic.BadRequestError as error:
        return error.api_message or "no words"
    return ""


# --- Sampling under the older version --------------------------------------------------------------------


@pytest.mark.parametrize("model", ["claude-sonnet-4-6", "claude-haiku-4-5", "claude-opus-4-6", "claude-sonnet-4-5"])
@pytest.mark.parametrize("sampling", [{"temperature": 0.7}, {"top_p": 0.9}, {"top_k": 5}, {"temperature": 0}], ids=str)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_models_take_sampling_parameters_under_the_older_version_alone(
    listening: Listening, model: str, sampling: dict[str, Any]
) -> None:
    [name] = sampling
    assert complaint(listening, model, extra_body=sampling, **OLD) == ""
    assert complaint(listening, model, extra_body=sampling) == f"{name}: Extra inputs are not permitted"


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-opus-4-7"])
def test_newer_models_take_the_default_alone_and_that_under_the_older_version(listening: Listening, model: str) -> None:
    for name, value in (("temperature", 0.7), ("top_p", 0.9), ("top_k", 5)):
        assert complaint(listening, model, extra_body={name: value}, **OLD) == f"`{name}` is deprecated for this model."
    assert complaint(listening, model, extra_body={"temperature": 1.0}, **OLD) == ""
    assert complaint(listening, model, extra_body={"temperature": 1.0}) == "temperature: Extra inputs are not permitted"


@pytest.mark.parametrize(
    ("sampling", "told"),
    [
        ({"temperature": 0.5, "top_p": 0.9}, "`temperature` and `top_p` cannot both be specified for this model."),
        ({"temperature": 1.1}, "temperature: Input should be a number from 0 to 1"),
        ({"temperature": "warm"}, "temperature: Input should be a number from 0 to 1"),
        ({"top_p": -0.1}, "top_p: Input should be a number from 0 to 1"),
        ({"top_k": -1}, "top_k: Input should be a valid integer"),
        ({"top_k": 0.5}, "top_k: Input should be a valid integer"),
        (
            {"temperature": 0.5, "thinking": {"type": "adaptive"}},
            "`temperature` may only be set to 1 when thinking is enabled.",
        ),
    ],
    ids=str,
)
def test_sampling_has_bounds(listening: Listening, sampling: dict[str, Any], told: str) -> None:
    assert complaint(listening, "claude-sonnet-4-6", extra_body=sampling, **OLD).startswith(told)


# --- Effort and thinking ---------------------------------------------------------------------------------

EFFORTS_OF = {
    "claude-fable-5-2": EFFORTS,
    "claude-opus-5-5": EFFORTS,
    "claude-sonnet-5-5": EFFORTS,
    "claude-haiku-5-5": EFFORTS,
    "claude-opus-4-7": EFFORTS,
    "claude-opus-4-6": ("low", "medium", "high", "max"),
    "claude-sonnet-4-6": ("low", "medium", "high", "max"),
    "claude-opus-4-5": ("low", "medium", "high"),
    "claude-haiku-4-5": (),
}


@pytest.mark.parametrize("model", EFFORTS_OF)
def test_each_model_takes_its_own_efforts(listening: Listening, model: str) -> None:
    taken = [one for one in EFFORTS if not complaint(listening, model, output_config={"effort": one})]
    assert tuple(taken) == EFFORTS_OF[model]


def test_a_refused_effort_is_told_with_those_that_are_taken(listening: Listening) -> None:
    told = complaint(listening, "claude-opus-4-5", output_config={"effort": "max"})
    assert told == "output_config.effort: 'max' is not supported by this model; use 'low', 'medium' or 'high'"
    told = complaint(listening, "claude-haiku-4-5", output_config={"effort": "low"})
    assert told == "output_config.effort: This model does not support the effort parameter."


THINKING_OF = {
    "claude-fable-5-2": {"adaptive"},
    "claude-opus-5-5": {"adaptive"},
    "claude-sonnet-5-5": {"adaptive", "between_tools"},
    "claude-haiku-5-5": {"adaptive", "disabled"},
    "claude-sonnet-5": {"adaptive", "disabled"},
    "claude-sonnet-4-6": {"adaptive", "disabled", "enabled"},
    "claude-haiku-4-5": {"disabled", "enabled"},
}


@pytest.mark.parametrize("model", THINKING_OF)
def test_each_model_thinks_in_its_own_ways(listening: Listening, model: str) -> None:
    ways: dict[str, Any] = {name: {"type": name} for name in ("adaptive", "between_tools", "disabled")}
    ways["enabled"] = {"type": "enabled", "budget_tokens": 1_024}
    taken = {name for name, way in ways.items() if not complaint(listening, model, thinking=way, max_tokens=2_000)}
    assert taken == THINKING_OF[model]


def test_thinking_cannot_be_turned_off_at_the_highest_efforts(listening: Listening) -> None:
    def told(effort: str) -> str:
        off = {"thinking": {"type": "disabled"}, "output_config": {"effort": effort}}
        return complaint(listening, "claude-haiku-5-5", **off)

    assert told("high") == ""
    assert told("xhigh") == "\"thinking.type.disabled\" is not supported with effort 'xhigh'."
    assert told("max")


@pytest.mark.parametrize(
    ("thinking", "told"),
    [
        ({"type": "enabled"}, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"),
        ({"type": "enabled", "budget_tokens": 1_023}, "thinking.enabled.budget_tokens: Input should be greater"),
        ({"type": "enabled", "budget_tokens": 2_000}, "`max_tokens` must be greater than `thinking.budget_tokens`."),
        ({"type": "adaptive"}, "adaptive thinking is not supported on this model"),
    ],
    ids=str,
)
def test_a_budget_of_thinking_has_bounds(listening: Listening, thinking: dict[str, Any], told: str) -> None:
    assert complaint(listening, "claude-haiku-4-5", thinking=thinking, max_tokens=2_000).startswith(told)


# --- Tools, prefill, system messages, lengths ------------------------------------------------------------


def test_tools_can_be_forced_on_some_models_and_not_while_they_think(listening: Listening) -> None:
    forced: dict[str, Any] = {"tools": [TOOL], "tool_choice": {"type": "any"}}
    assert complaint(listening, "claude-sonnet-5", **forced) == ""
    told = complaint(listening, "claude-sonnet-5", **forced, thinking={"type": "adaptive"})
    assert told == "Thinking may not be enabled when tool_choice forces tool use."
    assert "not supported" in complaint(listening, "claude-opus-5-5", **forced)


def test_a_reply_can_be_begun_for_older_models_alone(listening: Listening) -> None:
    assert complaint(listening, "claude-haiku-4-5", messages=PREFILLED) == ""
    assert "prefill" in complaint(listening, "claude-haiku-5-5", messages=PREFILLED)
    trailing = [PREFILLED[0], {"role": "assistant", "content": "{ "}]
    assert "trailing whitespace" in complaint(listening, "claude-haiku-4-5", messages=trailing)


def test_messages_of_the_system_are_taken_by_newer_models(listening: Listening) -> None:
    assert complaint(listening, "claude-sonnet-5-5", messages=CORRECTED) == ""
    told = complaint(listening, "claude-sonnet-5", messages=CORRECTED)
    assert told == "messages: role 'system' is not supported on this model"


@pytest.mark.parametrize(("model", "most"), [("claude-opus-5-5", 128_000), ("claude-haiku-4-5", 64_000)])
def test_each_model_has_its_longest_reply(listening: Listening, model: str, most: int) -> None:
    assert complaint(listening, model, max_tokens=most + 1).startswith(f"max_tokens: {most + 1} > {most}")
    assert "Streaming is required" in complaint(listening, model, max_tokens=most)


# --- Schemas ---------------------------------------------------------------------------------------------


def of_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


NODE = {"$defs": {"Node": of_object(next={"$ref": "#/$defs/Node"})}, "$ref": "#/$defs/Node"}

SCHEMAS: list[tuple[Any, str]] = [
    (of_object(), ""),
    (output_format()["format"]["schema"], ""),
    (of_object(tags={"type": "array", "items": {"type": "string"}, "minItems": 1}), ""),
    (of_object(when={"type": "string", "format": "date-time"}, mood={"enum": ["glad", None, 3]}), ""),
    (of_object(either={"anyOf": [{"type": "string"}, {"type": "null"}]}, both={"type": ["string", "null"]}), ""),
    ({"type": "object"}, "For 'object' type, 'additionalProperties' must be explicitly set to false"),
    ({**of_object(), "additionalProperties": True}, "For 'object' type, 'additionalProperties' must be explicitly"),
    (of_object(inner={"type": "object"}), "For 'object' type, 'additionalProperties' must be"),
    (of_object(either={"anyOf": [{"type": "object"}]}), "For 'object' type, 'additionalProperties' must be"),
    (of_object(many={"type": "array", "items": {"type": "object"}}), "For 'object' type, 'additionalProperties' must"),
    (of_object(age={"type": "integer", "minimum": 0, "maximum": 9}), "For 'integer' type, properties maximum, minimum"),
    (of_object(name={"type": "string", "maxLength": 9}), "For 'string' type, properties maxLength are not supported"),
    (of_object(link={"type": "string", "format": "url"}), "For 'string' type, format 'url' is not supported"),
    (of_object(many={"type": "array", "minItems": 2}), "For 'array' type, 'minItems' values other than 0 or 1"),
    (of_object(one={"enum": [{"a": 1}]}), "'enum' supports strings, numbers, booleans and null only"),
    (of_object(one={"type": "text"}), "'text' is not a supported type"),
    (of_object(one={"type": [["string"]]}), "'['string']' is not a supported type"),
    (of_object(one="string"), "every part of a schema must be an object"),
    ({"type": "object", "properties": []}, "'properties' must be an object"),
    ({"anyOf": {}}, "'anyOf' must be a list"),
    ({"$ref": "https://example.org/schema"}, "'$ref' must name one of the schema's own definitions"),
    ({"$ref": "#/$defs/None"}, "'$ref' must name one of the schema's own definitions"),
    (NODE, "Recursive schemas are not supported: 'Node' holds itself"),
]


@pytest.mark.parametrize(("schema", "told"), SCHEMAS, ids=[f"{n}-{told[:50]}" for n, (_s, told) in enumerate(SCHEMAS)])
def test_claude_is_held_to_simple_schemas_only(listening: Listening, schema: Any, told: str) -> None:
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    said = complaint(listening, "claude-sonnet-5-5", output_config=wanted)
    assert said.startswith(told and f"output_config.format.schema: {told}") and bool(said) == bool(told)


# --- Our lists and the SDK's -----------------------------------------------------------------------------


def names(alias: Any) -> set[str]:
    """The words of a `Literal`, also inside of a `Union`."""
    found = set()
    for part in typing.get_args(alias):
        found |= names(part) if typing.get_args(part) else {part}
    return {name for name in found if isinstance(name, str)}


def test_the_models_are_the_sdks_that_have_not_retired() -> None:
    retired = {"claude-mythos-preview"}
    assert "June 30th, 2026" in DEPRECATED_MODELS["claude-mythos-preview"]
    assert set(MODELS) == names(Model) - retired


def test_the_efforts_are_the_sdks() -> None:
    hints = typing.get_type_hints(OutputConfigParam)
    assert set(EFFORTS) == names(hints["effort"])


HEADERS = {"user_profile_id", "workspace_id"}  # the SDK sends these as headers


def test_the_parameters_are_the_sdks() -> None:
    streaming = message_create_params.MessageCreateParamsStreaming.__annotations__
    known = {*message_create_params.MessageCreateParamsBase.__annotations__, *streaming}
    assert known - HEADERS == PARAMETERS
    counting = set(message_count_tokens_params.MessageCountTokensParams.__annotations__)
    assert counting - HEADERS == OF_COUNTS


def test_the_blocks_are_the_sdks() -> None:
    types = {
        name
        for block in typing.get_args(content_block_param.ContentBlockParam)
        for name in names(typing.get_type_hints(block)["type"])
    }
    assert types == OF_USERS | OF_ASSISTANTS
