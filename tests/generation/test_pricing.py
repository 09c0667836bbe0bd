"""What tokens cost."""

from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data import providers
from genai_prices.types import ModelPrice

from generation.claude import Usage
from generation.pricing import cost_of

# The published rates, read from the package's data and multiplied here by hand: models with one rate each.
ANTHROPIC = next(provider for provider in providers if provider.id == "anthropic")
PLAIN = [
    model
    for model in ANTHROPIC.models
    if isinstance(model.prices, ModelPrice)
    and isinstance(model.prices.input_mtok, Decimal)
    and isinstance(model.prices.cache_read_mtok, Decimal)
]
USAGE = Usage(input=1_234, output=567, cache_read=8_901, cache_write=2_345)


@pytest.mark.parametrize("model", PLAIN, ids=lambda model: model.id)
def test_a_published_model_costs_what_its_rates_say(model: Any) -> None:
    rates = model.prices
    expected = (
        1_234 * rates.input_mtok
        + 567 * rates.output_mtok
        + 8_901 * rates.cache_read_mtok
        + 2_345 * rates.cache_write_mtok
    ) / 1_000_000
    cost = cost_of(model.id, USAGE)
    assert cost.usd == round(expected, 6)
    assert not cost.assumed


def test_the_present_models_are_among_those_checked() -> None:
    assert {"claude-sonnet-5-5", "claude-opus-5-5"} <= {model.id for model in PLAIN}


def test_the_default_model_costs_two_dollars_in_and_ten_out_per_million() -> None:
    assert cost_of("claude-sonnet-5-5", Usage(input=1_000_000)).usd == Decimal("2")
    assert cost_of("claude-sonnet-5-5", Usage(output=1_000_000)).usd == Decimal("10")
    assert cost_of("claude-sonnet-5-5", Usage(cache_read=1_000_000)).usd == Decimal("0.1")
    assert cost_of("claude-sonnet-5-5", Usage(cache_write=1_000_000)).usd == Decimal("2.5")


def test_long_prompts_of_a_tiered_model_cost_more_per_token() -> None:
    short = cost_of("claude-haiku-5-5", Usage(input=10_000)).usd
    long = cost_of("claude-haiku-5-5", Usage(input=900_000)).usd
    assert long > 90 * short > 0


def test_cached_tokens_count_towards_the_long_prompt() -> None:
    apart = cost_of("claude-haiku-5-5", Usage(input=10_000)).usd
    together = cost_of("claude-haiku-5-5", Usage(input=10_000, cache_read=890_000)).usd
    assert together - cost_of("claude-haiku-5-5", Usage(cache_read=890_000)).usd > apart


def test_an_unknown_model_is_priced_dearly_and_marked() -> None:
    cost = cost_of("claude-of-next-year", Usage(input=1_000, output=1_000))
    assert cost.usd == Decimal("0.015") + Decimal("0.075")
    assert cost.assumed


def test_cached_tokens_of_an_unknown_model_cost_as_input() -> None:
    assert cost_of("claude-of-next-year", Usage(cache_read=1_000, cache_write=1_000)).usd == Decimal("0.03")


def test_what_simulated_claude_writes_costs_as_the_model_it_stands_for() -> None:
    assert cost_of("simulated-claude-sonnet-5-5", USAGE) == cost_of("claude-sonnet-5-5", USAGE)
    assert cost_of("simulated-claude-of-next-year", USAGE).assumed


def test_an_agreed_price_comes_before_the_published_one(settings: Any) -> None:
    settings.MODEL_PRICES = {"claude-sonnet-5-5": {"input": "1", "output": "4"}}
    cost = cost_of("claude-sonnet-5-5", Usage(input=1_000_000, output=1_000_000, cache_read=1_000_000))
    assert (cost.usd, cost.assumed) == (Decimal(6), False)
    assert cost_of("simulated-claude-sonnet-5-5", Usage(input=1_000_000)).usd == Decimal(1)


def test_an_agreed_price_may_name_the_cached_rates(settings: Any) -> None:
    rates = {"input": 2, "output": 10.5, "cache_read": "0.2", "cache_write": "2.5"}
    settings.MODEL_PRICES = {"claude-x": rates}
    usage = Usage(input=1_000_000, output=1_000_000, cache_read=1_000_000, cache_write=1_000_000)
    assert cost_of("claude-x", usage).usd == Decimal("15.2")


def test_amounts_have_six_places_and_round_half_up(settings: Any) -> None:
    settings.MODEL_PRICES = {"claude-x": {"input": "0.5", "output": "0.4"}}
    assert str(cost_of("claude-x", Usage(input=1)).usd) == "0.000001"
    assert str(cost_of("claude-x", Usage(output=1)).usd) == "0.000000"
    assert str(cost_of("claude-x", Usage()).usd) == "0.000000"


def test_amounts_are_decimal_all_the_way() -> None:
    """0.1 + 0.2 dollars are 0.3: no float has touched them."""
    cost = cost_of("claude-sonnet-5-5", Usage(input=50_000, output=20_000))
    assert str(cost.usd) == "0.300000"
