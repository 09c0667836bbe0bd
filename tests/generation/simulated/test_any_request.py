"""Whatever a request holds, it is taken or refused, and what is taken can be counted, cached and answered."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from generation.simulated.cache import PromptCache
from generation.simulated.capabilities import MODELS
from generation.simulated.content_rules import OF_ASSISTANTS, OF_USERS
from generation.simulated.prompt import blocks, count
from generation.simulated.refusal import Refusal
from generation.simulated.replies import reply
from generation.simulated.rules import VERSIONS, check_message

WHOLE: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hello?", "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "And?"},
    ],
    "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "tools": [{"name": "look_up", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "adaptive"},
    "metadata": {"user_id": "1"},
    "stop_sequences": ["x"],
    "temperature": 1,
    "output_config": {
        "effort": "low",
        "format": {
            "type": "json_schema",
            "schema": {
                "$defs": {"Turn": {"type": "object", "additionalProperties": False}},
                "type": "object",
                "additionalProperties": False,
                "properties": {"turns": {"type": "array", "items": {"$ref": "#/$defs/Turn"}}},
                "required": ["turns"],
            },
        },
    },
}

WORDS = sorted({"adaptive", "disabled", "tool", "system", "json_schema", *MODELS, *OF_USERS, *OF_ASSISTANTS, ""})
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 10**6) | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "$ref"]), inner),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every part of a value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in parts for place in places(part, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    """A copy with something else at one place."""
    if not path:
        return put
    other = copy.copy(value)
    other[path[0]] = changed(value[path[0]], path[1:], put)
    return other


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_spoilt_request_is_taken_or_refused(data: st.DataObject) -> None:
    left_out = data.draw(st.sets(st.sampled_from([*WHOLE][3:])))
    body: Any = {name: part for name, part in WHOLE.items() if name not in left_out}
    for _ in range(data.draw(st.integers(1, 2))):
        body = changed(body, data.draw(st.sampled_from(places(body))), data.draw(ODD))
    try:
        taken = check_message(body, data.draw(st.sampled_from(VERSIONS)), batched=data.draw(st.booleans()))
    except Refusal:
        return
    prompt = blocks(taken)
    use = PromptCache().use(taken["model"], MODELS[taken["model"]], prompt, 0.0)
    answer = reply(taken, time=1, weak=0.5, use=use, input_tokens=count(prompt))
    assert answer["usage"]["input_tokens"] >= 0
