"""What Claude is asked to answer with, and how its answer is read."""

import json
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from convgen.text import storable
from generation.errors import ReplyMalformed

OBJECT_STARTS = 50  # where text surrounds the object: how many "{" are tried


class ReplyTurn(BaseModel):
    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    role: Literal["user", "assistant"]
    content: str

    _storable = field_validator("content")(storable)


class Reply(BaseModel):
    """One conversation as Claude writes it. Keys that we did not ask for are ignored."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    title: str = Field(description="Three to nine words that say what the conversation is about")
    turns: list[ReplyTurn]

    _storable = field_validator("title")(storable)

    @field_validator("turns")
    @classmethod
    def _says_something(cls, turns: list[ReplyTurn]) -> list[ReplyTurn]:
        if not any(turn.content.strip() for turn in turns):
            raise ValueError("it has no turns with words in them")
        return turns


@cache
def output_format() -> dict[str, Any]:
    """The `output_config` of a request: Claude is held to the schema that also validates its reply."""
    return {"format": {"type": "json_schema", "schema": Reply.model_json_schema()}}


def parse_reply(text: str) -> Reply:
    """Read Claude's text: one JSON object, with or without a code fence or words around it.

    Raises `ReplyMalformed`, which says what is wrong.
    """
    found = _first_object(text)
    if found is None:
        raise ReplyMalformed(f"Claude's reply holds no JSON object; it begins with {text[:60]!r}. Try again.")
    try:
        return Reply.model_validate(found)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ReplyMalformed(
            f"Claude's reply has an unexpected shape: {where}: {problem['msg']}. Try again."
        ) from error


def _first_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in the text that could be the conversation."""
    decoder = json.JSONDecoder()
    position = text.find("{")
    for _ in range(OBJECT_STARTS):
        if position < 0:
            return None
        try:
            value, _end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):  # ValueError: not JSON, or a number with thousands of digits
            value = None
        if isinstance(value, dict) and "turns" in value:
            return value
        position = text.find("{", position + 1)
    return None
