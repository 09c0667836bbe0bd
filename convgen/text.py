"""What PostgreSQL can store as text."""

from typing import Any


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


def counted(number: int, thing: str) -> str:
    """`1 conversation`, `1,200 conversations`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
