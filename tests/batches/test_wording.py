"""Costs and times in words."""

from decimal import Decimal
from typing import Any

import pytest

from batches.comparison import Against, Comparison
from batches.wording import (
    as_written,
    comparison_in_words,
    cost_in_words,
    dollars,
    duration,
    known_in_words,
    time_in_words,
)

DAY = 86_400  # seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a second"),
        (40, "40 s"),
        (89, "89 s"),
        (90, "2 min"),
        (119 * 60, "119 min"),
        (120 * 60, "2 h"),
        (200 * 60, "3 h 20 min"),
        (2 * DAY, "2 days"),
    ],
)
def test_a_time_is_told_in_the_unit_that_people_would_use(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("amount", "words"), [("0", "$0.00"), ("0.0123", "$0.0123"), ("1", "$1.00"), ("1234.5", "$1,234.50")]
)
def test_less_than_a_dollar_has_four_decimals(amount: str, words: str) -> None:
    assert dollars(Decimal(amount)) == words


@pytest.mark.parametrize(("amount", "words"), [("2.5", "$2.50"), ("100", "$100.00"), ("0.000125", "$0.000125")])
def test_an_amount_that_somebody_has_set_keeps_its_decimals(amount: str, words: str) -> None:
    assert as_written(Decimal(amount)) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(1, "known from earlier replies"), (0, "reckoned from lengths"), (0.25, "25% of it known from earlier replies")],
)
def test_how_much_is_known_is_told(share: float, words: str) -> None:
    assert known_in_words({"known_from_history": share}).startswith(words)


def test_what_costs_nothing_is_not_about_nothing() -> None:
    assert cost_in_words({"cost_usd": {"low": "0", "likely": "0", "high": "0"}}) == "nothing"


def test_a_time_without_a_range_worth_telling_has_none() -> None:
    assert time_in_words({"seconds": {"low": 40.1, "likely": 40.2, "high": 40.3}}, "live") == "about 40 s"
    assert time_in_words({"seconds": {"low": 30, "likely": 40, "high": 50}}, "live") == "about 40 s (30 s to 50 s)"


def compared(foreseen: float, actual: float, *, ended: bool = True) -> str:
    same: Any = Against(60, 60)
    return comparison_in_words(Comparison(Against(foreseen, actual), same, ended))


@pytest.mark.parametrize(
    ("foreseen", "actual", "words"),
    [
        (2, 2.005, "it cost as much, and"),
        (2, 3, "it cost 1.50 times as much, and"),
        (2, 40, "it cost 20 times as much, and"),
        (0, 2, "it cost what was not foreseen, and"),
        (0, 0, "it cost as much, and"),
    ],
)
def test_what_it_took_is_held_against_what_was_foreseen(foreseen: float, actual: float, words: str) -> None:
    assert words in compared(foreseen, actual)


def test_until_it_has_ended_only_its_cost_is_told() -> None:
    assert compared(2, 3, ended=False) == ("Estimated $2.00 for what has ended so far: it cost 1.50 times as much.")
