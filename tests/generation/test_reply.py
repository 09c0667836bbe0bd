"""Claude's text: what is read as a conversation, and what is refused in words."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.errors import ReplyMalformed
from generation.reply import Reply, output_format, parse_reply

TURNS = [{"role": "user", "content": "May I ask?"}, {"role": "assistant", "content": "Please do."}]
GOOD: dict[str, Any] = {"title": "A question", "turns": TURNS}


def as_text(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes})


def test_the_object_alone_is_read() -> None:
    reply = parse_reply(as_text())
    assert reply.title == "A question"
    assert [(turn.role, turn.content) for turn in reply.turns] == [
        ("user", "May I ask?"),
        ("assistant", "Please do."),
    ]


@pytest.mark.parametrize(
    "around",
    [
        "```json\nREPLY\n```",
        "```\nREPLY\n```",
        "Here is the conversation:\n\nREPLY",
        "REPLY\n\nShall I write another one?",
        'Some {curly} words first, {} and {"a": 1}: REPLY And {after}.',
        "\ufeff \nREPLY\n ",
        '{"conversation": REPLY}',
        '{"result": [REPLY]}',
        "REPLYREPLY",
    ],
)
def test_a_fence_and_words_around_it_are_tolerated(around: str) -> None:
    assert parse_reply(around.replace("REPLY", as_text())) == Reply(**GOOD)


def test_keys_that_nobody_asked_for_are_ignored() -> None:
    turns = [{**turn, "mood": "calm"} for turn in TURNS]
    assert parse_reply(as_text(turns=turns, notes="none", score=9)) == Reply(**GOOD)


def test_braces_and_quotes_in_the_words_are_words() -> None:
    turns = [{"role": "user", "content": 'He said "{turns}" and left: } ```'}]
    assert parse_reply(as_text(turns=turns)).turns[0].content == 'He said "{turns}" and left: } ```'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no JSON object"),
        ("I would rather not.", "begins with 'I would rather not.'"),
        ("[1, 2]", "holds no JSON object"),
        ("null", "holds no JSON object"),
        ('{"title": "A talk", "turns": [', "holds no JSON object"),
        ('{"title": "A talk"}', "holds no JSON object"),
        (json.dumps([TURNS]), "holds no JSON object"),
        (json.dumps({"turns": TURNS}), "title: Field required"),
        (as_text(title=None), "title: Input should be a valid string"),
        (as_text(turns=None), "turns: Input should be a valid list"),
        (as_text(turns="Hello."), "turns: Input should be a valid list"),
        (as_text(turns=[]), "no turns with words"),
        (as_text(turns=[{"role": "user", "content": " \n\t"}]), "no turns with words"),
        (as_text(turns=[{"role": "user", "content": "\x00"}]), "no turns with words"),
        (as_text(turns=["Hello."]), "turns.0"),
        (as_text(turns=[{"role": "user"}]), "turns.0.content: Field required"),
        (as_text(turns=[*TURNS, {"role": "user", "content": 7}]), "turns.2.content: Input should be a valid string"),
        (as_text(turns=[{"role": "human", "content": "Hi."}]), "turns.0.role: Input should be 'user' or 'assistant'"),
        (as_text(turns=[{"role": "system", "content": "Hi."}]), "turns.0.role"),
        ('{"turns": ' + "1" * 5_000 + "}", "holds no JSON object"),
        ('{"turns": ' * 100_000, "holds no JSON object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_anything_else_is_refused_with_the_reason_and_what_to_do(text: str, complaint: str) -> None:
    with pytest.raises(ReplyMalformed) as raised:
        parse_reply(text)
    assert complaint in str(raised.value)
    assert str(raised.value).endswith("Try again.")
    assert len(str(raised.value)) < 300


def test_what_postgresql_cannot_store_is_replaced() -> None:
    text = (
        '{"title": "A\\u0000 \\ud800talk", "turns": [{"role": "user", "content": "\\u0000Hi \\udfff\\ud83d\\ude00."}]}'
    )
    reply = parse_reply(text)
    assert reply.title == "A �talk"
    assert reply.turns[0].content == "Hi �😀."


def test_raw_lone_surrogates_in_the_text_are_replaced_too() -> None:
    assert parse_reply(as_text().replace("May I", "May \ud800 I")).turns[0].content == "May � I ask?"


def test_a_giant_reply_is_read_in_reasonable_time() -> None:
    turns = [{"role": "user", "content": "word " * 400_000}]
    begun = time.process_time()
    assert len(parse_reply(as_text(turns=turns)).turns[0].content) == 2_000_000
    with pytest.raises(ReplyMalformed):
        parse_reply("{ " * 1_000_000)
    with pytest.raises(ReplyMalformed):
        parse_reply('{"a": ' * 300_000)
    with pytest.raises(ReplyMalformed):
        parse_reply('{"a":"' + "x" * 2_000_000)
    assert time.process_time() - begun < 3


def test_claude_is_held_to_a_closed_schema() -> None:
    output = output_format()["format"]
    assert output["type"] == "json_schema"
    schema = output["schema"]
    objects = [schema, *schema["$defs"].values()]
    assert [part["type"] for part in objects] == ["object", "object"]
    for part in objects:
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])
    assert schema["$defs"]["ReplyTurn"]["properties"]["role"]["enum"] == ["user", "assistant"]


def test_the_schema_uses_nothing_that_structured_output_refuses() -> None:
    """No bounds, lengths, patterns or recursion."""
    text = json.dumps(output_format())
    for keyword in ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "pattern", "default"):
        assert f'"{keyword}"' not in text


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["title", "turns", "role", "content", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.text() | JSON.map(json.dumps) | st.builds(lambda a, b, c: a + json.dumps(b) + c, st.text(), JSON, st.text()))
def test_whatever_comes_it_is_a_conversation_or_malformed(text: str) -> None:
    try:
        reply = parse_reply(text)
    except ReplyMalformed:
        return
    assert any(turn.content.strip() for turn in reply.turns)


@given(st.text(), st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text()), min_size=1), st.booleans())
def test_whatever_is_said_is_read_back_as_it_was(title: str, said: list[tuple[str, str]], escaped: bool) -> None:
    turns = [{"role": role, "content": content} for role, content in said]
    text = json.dumps({"title": title, "turns": turns}, ensure_ascii=escaped)
    if any(content.replace("\x00", "").strip() for _role, content in said):
        reply = parse_reply(f"Well:\n```json\n{text}\n```")
        assert [turn.content for turn in reply.turns] == [content.replace("\x00", "") for _role, content in said]
        assert reply.title == title.replace("\x00", "")
