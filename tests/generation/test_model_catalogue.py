"""What is known of Claude's models, compared with what the installed SDK knows."""

from datetime import date, datetime

import pytest

from generation.model_catalogue import FACTS, RETIREMENTS, end_of_life, facts_of


def _day(text: str) -> date:
    """`November 30th, 2026` as a date."""
    month, day, year = text.split()
    return datetime.strptime(f"{month} {day.rstrip('stndrh,')} {year}", "%B %d %Y").date()


def test_the_ends_of_models_are_those_that_the_sdk_carries() -> None:
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    assert {model: _day(text) for model, text in DEPRECATED_MODELS.items()} == RETIREMENTS


def test_facts_are_of_models_that_the_sdk_knows() -> None:
    from typing import get_args

    from anthropic.types.model_param import ModelParam

    known = get_args(get_args(ModelParam)[0])
    for start, _facts in FACTS:
        assert any(model.startswith(start) for model in known), start


@pytest.mark.parametrize("model", ["claude-opus-4-7", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2"])
def test_present_models_take_no_temperature_and_every_effort(model: str) -> None:
    assert not facts_of(model).sampling
    assert facts_of(model).efforts == {"low", "medium", "high", "xhigh", "max"}


@pytest.mark.parametrize("model", ["claude-opus-4-5-20251101", "claude-haiku-4-5-20251001", "claude-sonnet-4-6"])
def test_older_ones_do(model: str) -> None:
    assert facts_of(model).sampling


def test_a_model_that_ends_soon_is_told_with_its_day() -> None:
    assert end_of_life("claude-sonnet-4-5", today=date(2026, 11, 29)) == (
        "Anthropic retires claude-sonnet-4-5 on 30 November 2026. Choose another model before that day."
    )


def test_from_that_day_on_it_is_said_to_fail() -> None:
    words = end_of_life("claude-sonnet-4-5", today=date(2026, 11, 30))
    assert words.startswith("Anthropic has retired claude-sonnet-4-5 on 30 November 2026: requests fail.")


def test_the_default_model_stays() -> None:
    assert end_of_life("claude-sonnet-5-5") == ""
