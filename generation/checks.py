"""System checks of what leads to Claude: where it is, how often it may be asked, and what it costs."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from convgen.checks import Bounds, out_of_bounds
from generation.retention import LONGEST_KEPT

LONGEST_UNSTREAMED = 21_333  # tokens: above, the API insists on streaming, which we do not do

BOUNDS = (
    Bounds("RATE_LIMIT_RPM", 1, unit="requests a minute"),
    Bounds("SIMULATED_RATE_LIMIT_RPM", 1, unit="requests a minute"),
    Bounds("RATE_LIMIT_INPUT_TPM", 0, unit="tokens a minute; 0: as much as Claude's replies say"),
    Bounds("RATE_LIMIT_OUTPUT_TPM", 0, unit="tokens a minute; 0: as much as Claude's replies say"),
    Bounds("GENERATION_ATTEMPTS", 1, 10, unit="requests for one conversation"),
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
def check_prices(**_options: Any) -> list[CheckMessage]:
    wrong = _wrong_prices(settings.MODEL_PRICES)
    if not wrong:
        return []
    return [
        Error(
            f"MODEL_PRICES cannot be read: {wrong}.",
            hint="Set it to USD per million tokens, by model: "
            '{"claude-x": {"input": "2", "output": "10"}}; "cache_read" and "cache_write" may be added.',
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
        if missing := PRICES_NEEDED - rates.keys():
            return f"{model} has no price for {' and '.join(sorted(missing))}"
        if unknown := rates.keys() - PRICES_ALLOWED:
            return f"{model} has a price for {', '.join(sorted(unknown))}, which nobody asks for"
        for name, rate in rates.items():
            if not _is_price(rate):
                return f"the {name} price of {model} is {rate!r}"
    return ""


def _is_price(rate: Any) -> bool:
    if isinstance(rate, bool):
        return False
    try:
        price = Decimal(str(rate))
    except InvalidOperation:
        return False
    return price.is_finite() and price >= 0
