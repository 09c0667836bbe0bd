"""What tokens cost, in USD."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings

from generation.claude import Usage
from generation.simulated.launcher import MODEL_PREFIX

SIX_PLACES = Decimal("0.000001")
MILLION = Decimal(1_000_000)

# For a model without a known price: $0.015 and $0.075 per thousand tokens, the rates of the product's original
# specification. They are above every current model's, so that a surprise is a pleasant one.
ASSUMED_INPUT = Decimal(15)  # USD per million tokens
ASSUMED_OUTPUT = Decimal(75)


@dataclass(frozen=True)
class Cost:
    usd: Decimal  # six places
    assumed: bool  # True when the model's price is not known


def cost_of(model: str, usage: Usage) -> Cost:
    """The price of one live request.

    The setting `MODEL_PRICES` comes first, then the `genai-prices` package (which ships with the prices and asks
    no server), then the assumed rates. What simulated Claude writes is priced as the model it stands for.
    """
    name = model.removeprefix(MODEL_PREFIX)
    agreed = settings.MODEL_PRICES.get(name)
    if agreed is not None:
        return Cost(_rounded(_by_rates(agreed, usage)), assumed=False)
    published = _published(name, usage)
    if published is not None:
        return Cost(_rounded(published), assumed=False)
    assumed = {"input": ASSUMED_INPUT, "output": ASSUMED_OUTPUT}
    return Cost(_rounded(_by_rates(assumed, usage)), assumed=True)


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


def _by_rates(rates: "dict[str, str] | dict[str, Decimal]", usage: Usage) -> Decimal:
    """Rates in USD per million tokens; cached tokens cost what other input costs unless told otherwise."""
    price = {name: Decimal(str(rate)) for name, rate in rates.items()}
    return (
        usage.input * price["input"]
        + usage.output * price["output"]
        + usage.cache_read * price.get("cache_read", price["input"])
        + usage.cache_write * price.get("cache_write", price["input"])
    ) / MILLION


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(SIX_PLACES, rounding=ROUND_HALF_UP)
