"""System checks of what leads to Claude: where it is, how often it may be asked, and what it costs."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, transaction

from conversations.choices import Effort
from conversations.models import PromptTemplate, Workspace
from convgen.checks import Bounds, out_of_bounds
from convgen.tenancy import EVERY, workspace_scope
from generation.configuration import LONGEST_UNSTREAMED, configuration_of
from generation.model_catalogue import end_of_life
from generation.retention import LONGEST_KEPT
from generation.retries import MOST_ATTEMPTS, RetryStrategy

MOST_A_MINUTE = 2**31 - 1  # as large a number as its column holds

BOUNDS = (
    Bounds("RATE_LIMIT_RPM", 1, MOST_A_MINUTE, unit="requests a minute"),
    Bounds("SIMULATED_RATE_LIMIT_RPM", 1, MOST_A_MINUTE, unit="requests a minute"),
    Bounds("RATE_LIMIT_INPUT_TPM", 0, MOST_A_MINUTE, unit="tokens a minute; 0: as much as Claude's replies say"),
    Bounds("RATE_LIMIT_OUTPUT_TPM", 0, MOST_A_MINUTE, unit="tokens a minute; 0: as much as Claude's replies say"),
    Bounds("GENERATION_ATTEMPTS", 1, MOST_ATTEMPTS, unit="requests for one conversation"),
    Bounds("GENERATION_FIRST_WAIT", 0, unit="seconds"),
    Bounds("ANTHROPIC_MAX_TOKENS", 1, LONGEST_UNSTREAMED, unit="tokens"),
    Bounds("LOG_RETENTION_DAYS", 1, LONGEST_KEPT, unit="days"),
    Bounds("ANTHROPIC_TIMEOUT", 0, low_excluded=True, unit="seconds"),
    Bounds("SIMULATED_CLAUDE_LATENCY", 0, unit="seconds"),
    Bounds("SIMULATED_CLAUDE_WEAK", 0, 1),
)

PRICES_NEEDED = {"input", "output"}
PRICES_ALLOWED = PRICES_NEEDED | {"cache_read", "cache_write"}


@register()
def check_endpoint(**_options: Any) -> list[CheckMessage]:
    if settings.ANTHROPIC_API_KEY or not settings.ANTHROPIC_BASE_URL:
        return []
    return [
        Error(
            f"ANTHROPIC_BASE_URL is {settings.ANTHROPIC_BASE_URL}, but without a key it would not be asked: "
            "simulated Claude would answer in its place.",
            hint="Set ANTHROPIC_API_KEY too, or leave ANTHROPIC_BASE_URL empty.",
            id="generation.E001",
        )
    ]


@register()
def check_bounds(**_options: Any) -> list[CheckMessage]:
    return out_of_bounds(BOUNDS, id="generation.E002")


@register()
def check_words(**_options: Any) -> list[CheckMessage]:
    """Settings that hold one of a few words."""
    rules = (
        ("GENERATION_RETRY_STRATEGY", settings.GENERATION_RETRY_STRATEGY, RetryStrategy.values),
        ("ANTHROPIC_EFFORT", settings.ANTHROPIC_EFFORT, ["", *Effort.values]),
    )
    return [
        Error(
            f"{setting} is {value!r}, which means nothing.",
            hint=f"Set {setting} to {', '.join(word for word in words if word)}"
            + (", or leave it empty." if "" in words else "."),
            id="generation.E004",
        )
        for setting, value, words in rules
        if value not in words
    ]


@register()
def check_configuration(**_options: Any) -> list[CheckMessage]:
    """What the settings say must go together, and the model must be one that still answers."""
    configuration = configuration_of([])
    wrong = configuration.problems() if configuration.effort in ("", *Effort.values) else {}
    wrong.pop("max_tokens", None)  # said by its bounds already
    found: list[CheckMessage] = [
        Error(words, hint="Mend the settings in the environment or in .env.", id="generation.E005")
        for words in wrong.values()
    ]
    if ends := end_of_life(configuration.model):
        found.append(Warning(ends, hint="Set ANTHROPIC_MODEL to a present model.", id="generation.W001"))
    return found


@register(Tags.database)
def check_models_in_use(databases: Any = None, **_options: Any) -> list[CheckMessage]:
    """Workspaces and active templates with a model that comes to its end: `manage.py check --database default`."""
    found: list[CheckMessage] = []
    for model, names in _models_in_use().items() if databases else ():
        if ends := end_of_life(model):
            found.append(Warning(f"{ends} It is set for {', '.join(names)}.", id="generation.W002"))
    return found


def _models_in_use() -> dict[str, list[str]]:
    """By model, who asks for it, in words; nothing before the tables are there."""
    in_use: dict[str, list[str]] = {}
    try:
        with workspace_scope(EVERY), transaction.atomic():
            for name, model in Workspace.objects.exclude(model="").values_list("name", "model"):
                in_use.setdefault(model, []).append(f"workspace “{name}”")
            templates = PromptTemplate.objects.filter(active=True).exclude(model="")
            for name, model in templates.values_list("name", "model"):
                in_use.setdefault(model, []).append(f"template “{name}”")
    except DatabaseError:
        return {}  # before its first migration
    return in_use


@register()
def check_prices(**_options: Any) -> list[CheckMessage]:
    wrong = _wrong_prices(settings.MODEL_PRICES)
    if not wrong:
        return []
    return [
        Error(
            f"MODEL_PRICES cannot be read: {wrong}.",
            hint="Set it to USD per million tokens, by model: "
            '{"claude-x": {"input": "2", "output": "10"}}; "cache_read" and "cache_write" may be added, and '
            '"long_prompt" with other rates from a length on: {"over": 200000, "input": "4", "output": "15"}.',
            id="generation.E003",
        )
    ]


def _wrong_prices(prices: Any) -> str:
    """What is wrong with the first price that is; empty when all are right."""
    if not isinstance(prices, dict):
        return "it is no JSON object"
    for model, rates in prices.items():
        if not isinstance(rates, dict):
            return f"the price of {model} is no JSON object"
        plain = {name: rate for name, rate in rates.items() if name != "long_prompt"}
        if wrong := _wrong_rates(model, plain) or _wrong_long_prompt(model, rates.get("long_prompt")):
            return wrong
    return ""


def _wrong_rates(model: str, rates: dict[str, Any]) -> str:
    if missing := PRICES_NEEDED - rates.keys():
        return f"{model} has no price for {' and '.join(sorted(missing))}"
    if unknown := rates.keys() - PRICES_ALLOWED:
        return f"{model} has a price for {', '.join(sorted(unknown))}, which nobody asks for"
    wrong = (f"the {name} price of {model} is {rate!r}" for name, rate in rates.items() if not _is_price(rate))
    return next(wrong, "")


def _wrong_long_prompt(model: str, long_prompt: Any) -> str:
    if long_prompt is None:
        return ""
    if not isinstance(long_prompt, dict):
        return f"long_prompt of {model} is no JSON object"
    over = long_prompt.get("over")
    if not isinstance(over, int) or isinstance(over, bool) or over < 1:
        return f"long_prompt of {model} begins over {over!r} tokens"
    return _wrong_rates(f"long_prompt of {model}", {name: rate for name, rate in long_prompt.items() if name != "over"})


def _is_price(rate: Any) -> bool:
    if isinstance(rate, bool):
        return False
    try:
        price = Decimal(str(rate))
    except InvalidOperation:
        return False
    return price.is_finite() and price >= 0
