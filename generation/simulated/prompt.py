"""A request's prompt: its blocks in the order in which the API reads them, its words, and how many tokens it has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

CHARACTERS_PER_TOKEN = 4  # a usual rule of thumb for English


@dataclass(frozen=True)
class Block:
    place: str  # "tools", "system", or the role of the message
    text: str  # what is counted and cached: a text block's words, anything else as JSON
    cached: Mapping[str, Any] | None  # its `cache_control`


def blocks(body: Mapping[str, Any]) -> list[Block]:
    """Tools, then the system prompt, then the messages: a cached prefix runs in this order.

    A request's own `cache_control` belongs to its last block.
    """
    found = [_other("tools", tool) for tool in body.get("tools", ())]
    found += _of("system", body.get("system") or [])
    for message in body["messages"]:
        found += _of(message["role"], message["content"])
    if found and body.get("cache_control") and not found[-1].cached:
        found[-1] = replace(found[-1], cached=body["cache_control"])
    return found


def count(of: list[Block]) -> int:
    """Input tokens, one at least."""
    return max(1, sum(len(block.text) for block in of) // CHARACTERS_PER_TOKEN)


def tokens(text: str) -> int:
    """Tokens of a text, one at least."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def prompt_text(body: Mapping[str, Any]) -> str:
    """All words of a request: the system prompt, then the messages."""
    parts = [body.get("system", ""), *(message["content"] for message in body.get("messages", ()))]
    return "\n\n".join(_plain(part) for part in parts)


def _of(place: str, content: str | list[dict[str, Any]]) -> list[Block]:
    if isinstance(content, str):
        return [Block(place, content, None)]
    return [
        Block(place, block["text"], block.get("cache_control")) if block["type"] == "text" else _other(place, block)
        for block in content
    ]


def _other(place: str, block: Mapping[str, Any]) -> Block:
    shown = {name: value for name, value in block.items() if name != "cache_control"}
    return Block(place, json.dumps(shown, sort_keys=True, ensure_ascii=False), block.get("cache_control"))


def _plain(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] if block["type"] == "text" else "" for block in content)
