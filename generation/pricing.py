"""What tokens cost, in USD."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.conf import settings

from generation.answers import Usage
from generation.simulated.launcher import MODEL_PREFIX

SIX_PLACES = Decimal("0.000001")
MILLION = Decimal(1_000_000)

# For a model without a known price: $0.015 and $0.075 per thousand tokens, the rates of the product's original
# specification. They are above every current model's, so that a surprise is a pleasant one.
ASSUMED = {"input": Decimal(15), "output": Decimal(75)}  # USD per million tokens

# Message Batches cost half, cached tokens included. Source: Anthropic's page “Batch processing”, section “Pricing”.
BATCH_SHARE = Decimal("0.5")


@dataclass(frozen=True)
class Cost:
    usd: Decimal  # six places
    assumed: bool  # True when the model's price is not known
    cache_saving_usd: Decimal = Decimal(0)  # how much more it would be without the prompt cache; below zero: less


def cost_of(model: str, usage: Usage, *, asked_for: str = "", in_message_batch: bool = False) -> Cost:
    """The price of one request. `model` is the one that answered, `asked_for` the name that was sent, maybe an alias.

    The setting `MODEL_PRICES` comes first, by either name, then the `genai-prices` package (which ships with the
    prices and asks no server), then the assumed rates. Long prompts cost what the model's tiers say; cached tokens
    count towards the length. What simulated Claude writes is priced as the model it stands for.
    """
    price, assumed = _price_of(model, asked_for, usage)
    uncached = Usage(input=usage.input + usage.cache_read + usage.cache_write, output=usage.output)
    without_cache = price if uncached == usage else _price_of(model, asked_for, uncached)[0]
    share = BATCH_SHARE if in_message_batch else Decimal(1)
    usd = _rounded(price * share)
    return Cost(usd, assumed, cache_saving_usd=_rounded(without_cache * share) - usd)


def saved_by_cache(amount: Decimal) -> str:
    """What the prompt cache saved, in words: USD. The first request of many pays for writing to it."""
    return f"saved ${amount:.4f}" if amount >= 0 else f"cost ${-amount:.4f} more than it saved"


def _price_of(model: str, asked_for: str, usage: Usage) -> tuple[Decimal, bool]:
    """USD for a live request, not rounded, and whether the rates are assumed."""
    name = model.removeprefix(MODEL_PREFIX)
    agreed = settings.MODEL_PRICES.get(name) or settings.MODEL_PRICES.get(asked_for)
    if agreed is not None:
        return _by_rates(_at_length(agreed, usage), usage), False
    published = _published(name, usage)
    if published is not None:
        return published, False
    return _by_rates(ASSUMED, usage), True


def _published(model: str, usage: Usage) -> Decimal | None:
    import genai_prices  # about 0.4 s: not at start

    everything = usage.input + usage.cache_read + usage.cache_write  # its `input_tokens` include the cached
    counted = genai_prices.Usage(
        input_tokens=everything,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
    )
    try:
        return genai_prices.calc_price(counted, model_ref=model, provider_id="anthropic").total_price
    except LookupError:
        return None


def _at_length(agreed: Mapping[str, Any], usage: Usage) -> Mapping[str, Any]:
    """The agreed rates for a prompt of this length: those of `long_prompt` when it has more than `over` tokens."""
    long_prompt = agreed.get("long_prompt", {})
    is_long = long_prompt and usage.input + usage.cache_read + usage.cache_write > long_prompt["over"]
    return {**agreed, **long_prompt} if is_long else agreed


def _by_rates(rates: Mapping[str, Any], usage: Usage) -> Decimal:
    """Rates in USD per million tokens; cached tokens cost what other input costs unless told otherwise."""
    price = {name: Decimal(str(rate)) for name, rate in rates.items() if not isinstance(rate, Mapping)}
    return (
        usage.input * price["input"]
        + usage.output * price["output"]
        + usage.cache_read * price.get("cache_read", price["input"])
        + usage.cache_write * price.get("cache_write", price["input"])
    ) / MILLION


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(SIX_PLACES, rounding=ROUND_HALF_UP)
