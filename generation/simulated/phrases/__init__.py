"""The phrase banks: TOML files beside this one, read once.

In a phrase, `[one|another]` is a choice and `{name}` a detail of the conversation; a capital in the detail's
name asks for a capital in its value. Typographic quotation marks become straight ones.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def bank(name: str) -> dict[str, Any]:
    """The contents of `phrases/<name>.toml`; callers must not change them."""
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    return {key: _straight(value) for key, value in tomllib.loads(text).items()}


def words(name: str) -> tuple[str, ...]:
    """The list `name` of `phrases/words.toml`."""
    return tuple(bank("words")[name].split())


def _straight(value: Any) -> Any:
    """The same structure with tuples for lists and straight quotation marks."""
    if isinstance(value, str):
        return value.replace("“", '"').replace("”", '"')
    if isinstance(value, list):
        return tuple(_straight(item) for item in value)
    if isinstance(value, dict):
        return {key: _straight(item) for key, item in value.items()}
    return value
