"""Parameters as they are given on a command line."""

from collections.abc import Iterable


def parameters_from(texts: Iterable[str]) -> dict[str, str]:
    """`["city=Oslo"]` as `{"city": "Oslo"}`. Raises `ValueError`, which says what is wrong."""
    return dict(_parameter(text) for text in texts)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"--param takes NAME=VALUE, not {text}.")
    return name.strip(), value
