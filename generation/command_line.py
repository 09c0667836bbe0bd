"""What commands ask for when they generate: parameters, and how Claude is asked."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings

from conversations.choices import Effort
from generation.configuration import Overrides


def parameters_from(texts: Iterable[str]) -> dict[str, str]:
    """`["city=Oslo"]` as `{"city": "Oslo"}`. Raises `ValueError`, which says what is wrong."""
    return dict(_parameter(text) for text in texts)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"--param takes NAME=VALUE, not {text}.")
    return name.strip(), value


def add_configuration(parser: ArgumentParser) -> None:
    """Add the options that come before what templates, workspace and settings say."""
    how = parser.add_argument_group("how Claude is asked", "Else as the template, the workspace or the settings say.")
    how.add_argument("--model", default="", help=f"The installation's is {settings.ANTHROPIC_MODEL}.")
    how.add_argument("--max-tokens", type=int, metavar="N", help="The longest reply, in tokens.")
    how.add_argument("--effort", default="", choices=Effort.values)
    how.add_argument("--temperature", type=_share, metavar="0–1", help="Only older models take it.")
    how.add_argument("--top-p", type=_share, metavar="0–1", help="Only older models take it.")


def overrides_from(options: dict[str, Any]) -> Overrides:
    """What `add_configuration`'s options say."""
    return Overrides(
        model=options["model"],
        max_tokens=options["max_tokens"],
        effort=options["effort"],
        temperature=options["temperature"],
        top_p=options["top_p"],
    )


def _share(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text} is no number") from None
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text} does not lie between 0 and 1")
    return value
