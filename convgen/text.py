"""Texts: what PostgreSQL can store of them, what they mean, and numbers in words."""

from typing import Any
from uuid import UUID


def storable(text: str) -> str:
    """The text without NUL, which PostgreSQL refuses, and with � for surrogates that stand alone."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def storable_json(value: Any) -> Any:
    """The same for every text in a JSON value."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [storable_json(part) for part in value]
    if isinstance(value, dict):
        return {storable(name): storable_json(part) for name, part in value.items()}
    return value


def as_key(text: str | None) -> UUID | None:
    """The key of a row that a text means; None when it can be none."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def counted(number: int, thing: str) -> str:
    """`1 conversation`, `1,200 conversations`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
