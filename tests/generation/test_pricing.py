"""What tokens cost."""

from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest
from anthropic.types.model_param import ModelParam
from genai_prices.data import providers
from genai_prices.types import ModelPrice, StartDateConstraint

from generation.answers import Usage
from generation.pricing import cost_of

# The published rates, read from the package's data and multiplied here by hand.
ANTHROPIC = next(provider for provider in providers if provider.id == "anthropic")
USAGE = Usage(input=1_234, output=567, cache_read=8_901, cache_write=2_345)
LONG = Usage(input=150_000, output=9_000, cache_read=40_000, cache_write=20_000)  # 210,000 in all
# The SDK knows them, but the package has no price.
WITHOUT_A_PRICE = {"claude-mythos-5-1", "claude-mythos-5", "claude-mythos-preview"}
CURRENT = sorted(set(get_args(get_args(ModelParam)[0])) - WITHOUT_A_PRICE)


def rates_of(model: str) -> ModelPrice:
    """The rates in force today, by the package's own matching of names."""
    [published] = [one for one in ANTHROPIC.models if one.is_match(model)]
    if isinstance(published.prices, ModelPrice):
        return published.prices
    in_force = [
        one.prices
        for one in published.prices
        if one.constraint is None
        or (isinstance(one.constraint, StartDateConstraint) and one.constraint.start_date <= date.today())
    ]
    return in_force[-1]


def at_length(rate: Any, prompt_tokens: int) -> Decimal:
    """USD per million tokens: a tier's price holds for the whole request once the prompt is longer than its start."""
    if isinstance(rate, Decimal):
        return rate
    reached = [tier.price for tier in rate.tiers if prompt_tokens > tier.start]
    return Decimal(reached[-1] if reached else rate.base)


@pytest.mark.parametrize("usage", [USAGE, LONG], ids=["short", "long"])
@pytest.mark.parametrize("model", CURRENT)
def test_every_current_model_costs_what_its_rates_say(model: str, usage: Usage) -> None:
    rates, prompt = rates_of(model), usage.input + usage.cache_read + usage.cache_write
    expected = (
        usage.input * at_length(rates.input_mtok, prompt)
        + usage.output * at_length(rates.output_mtok, prompt)
        + usage.cache_read * at_length(rates.cache_read_mtok, prompt)
        + usage.cache_write * at_length(rates.cache_write_mtok, prompt)
    ) / 1_000_000
    cost = cost_of(model, usage)
    assert cost.usd == round(expected, 6)
    assert not cost.assumed


def test_the_present_models_and_one_with_tiers_are_among_those_checked() -> None:
    assert {"claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5"} <= set(CURRENT)
    assert not isinstance(rates_of("claude-haiku-5-5").input_mtok, Decimal)


@pytest.mark.parametrize("model", sorted(WITHOUT_A_PRICE))
def test_a_model_that_has_no_published_price_is_marked(model: str) -> None:
    assert cost_of(model, USAGE).assumed


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


def test_the_specifications_rates_are_reproduced_to_the_cent() -> None:
    """Its rates, $0.015 and $0.075 per thousand tokens, for 2,000 tokens in and 3,000 out: 3 and 22.5 cents."""
    cost = cost_of("claude-of-next-year", Usage(input=2_000, output=3_000))
    assert str(cost.usd) == "0.255000"


def test_a_message_batch_costs_half_of_everything() -> None:
    live, batch = cost_of("claude-sonnet-5-5", USAGE), cost_of("claude-sonnet-5-5", USAGE, in_message_batch=True)
    assert abs(batch.usd * 2 - live.usd) <= Decimal("0.000001")
    assert cost_of("claude-x", Usage(input=1_000), in_message_batch=True).usd == Decimal("0.0075")


def test_what_the_cache_saves_is_told_beside_the_cost() -> None:
    reading = cost_of("claude-sonnet-5-5", Usage(input=100, output=10, cache_read=1_000_000))
    assert reading.cache_saving_usd == Decimal("1.9")  # $0.10 instead of $2
    writing = cost_of("claude-sonnet-5-5", Usage(input=100, output=10, cache_write=1_000_000))
    assert writing.cache_saving_usd == Decimal("-0.5")  # $2.50 instead of $2
    assert cost_of("claude-sonnet-5-5", Usage(input=100, output=10)).cache_saving_usd == 0


def test_an_agreed_price_may_differ_for_long_prompts(settings: Any) -> None:
    long_prompt = {"over": 200_000, "input": "4", "output": "15"}
    settings.MODEL_PRICES = {"claude-x": {"input": "2", "output": "10", "long_prompt": long_prompt}}
    assert cost_of("claude-x", Usage(input=200_000, output=1_000)).usd == Decimal("0.41")
    assert cost_of("claude-x", Usage(input=100_000, cache_read=100_001, output=1_000)).usd == Decimal("0.815004")


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


def test_a_price_agreed_under_an_alias_holds_for_the_model_that_answers(settings: Any) -> None:
    settings.MODEL_PRICES = {"claude-sonnet-4-5": {"input": "1", "output": "1"}}
    answered = "claude-sonnet-4-5-20250929"
    assert cost_of(answered, Usage(input=1_000_000), asked_for="claude-sonnet-4-5").usd == Decimal(1)
    assert cost_of(answered, Usage(input=100_000), asked_for=answered).usd == Decimal("0.3")


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
