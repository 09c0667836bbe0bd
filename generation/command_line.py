"""What commands ask for when they generate, parameters and how Claude is asked; and how they tell what was made."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings

from conversations.choices import Effort
from conversations.models import Conversation
from generation.configuration import Overrides


def parameters_from(texts: Iterable[str]) -> dict[str, str]:
    """`["city=Oslo"]` as `{"city": "Oslo"}`. Raises `ValueError`, which says what is wrong."""
    return dict(_parameter(text) for text in texts)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"--param takes NAME=VALUE, not {text}.")
    return name.strip(), value


def add_parameters(parser: ArgumentParser) -> None:
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="A placeholder's value.")


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


def usd(text: str) -> Decimal:
    """An amount as a person writes it: 20, 2.50, $2.50."""
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ArgumentTypeError(f"{text} is no amount in USD, such as 2.50")
    return amount


def _share(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text} is no number") from None
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text} does not lie between 0 and 1")
    return value


def sentence_of(made: Conversation, *, before: Conversation | None = None) -> str:
    """A conversation that was made, in one line; `before` is the version that it replaces."""
    former = f" ({before.quality_score} before)" if before and before.quality_score is not None else ""
    facts = [f"{made.turn_count} turns", f"quality {made.quality_score}{former}", f"${made.cost_usd}"]
    facts += ["simulated"] if made.simulated else []
    return f"{made}: “{made.title}”, {', '.join(facts)}"


def facts_of(made: Conversation) -> dict[str, Any]:
    """The same for scripts; USD as text, so that no digit is lost."""
    return {
        "id": str(made.pk),
        "conversation_id": made.conversation_id,
        "title": made.title,
        "status": made.status,
        "turn_count": made.turn_count,
        "quality_score": None if made.quality_score is None else float(made.quality_score),
        "cost_usd": str(made.cost_usd),
        "model": made.model,
        "simulated": made.simulated,
    }
