"""System checks of `generation/`: each mistake is named, with the setting to change."""

from typing import Any

import pytest
from django.core.checks import run_checks

from generation.checks import (
    check_bounds,
    check_configuration,
    check_endpoint,
    check_models_in_use,
    check_prices,
    check_words,
)
from tests.factories import PromptTemplateFactory, WorkspaceFactory


def test_the_defaults_are_without_fault() -> None:
    assert [message for message in run_checks() if str(message.id).startswith("generation.")] == []


def test_an_address_without_a_key_is_refused(settings: Any) -> None:
    settings.ANTHROPIC_BASE_URL = "https://proxy.example.com"
    (error,) = check_endpoint()
    assert error.id == "generation.E001"
    assert "https://proxy.example.com" in error.msg
    assert "Set ANTHROPIC_API_KEY" in str(error.hint)
    assert error in run_checks()


def test_an_address_with_a_key_is_allowed(settings: Any) -> None:
    settings.ANTHROPIC_BASE_URL = "https://proxy.example.com"
    settings.ANTHROPIC_API_KEY = "a-key"
    assert check_endpoint() == []


@pytest.mark.parametrize(
    ("setting", "refused", "allowed"),
    [
        ("RATE_LIMIT_RPM", [0, -5, 2**31], [1, 4_000, 2**31 - 1]),
        ("SIMULATED_RATE_LIMIT_RPM", [0], [1]),
        ("GENERATION_ATTEMPTS", [0, 11], [1, 10]),
        ("GENERATION_FIRST_WAIT", [-1], [0, 2.5]),
        ("ANTHROPIC_MAX_TOKENS", [0, 21_334], [1, 21_333]),
        ("LOG_RETENTION_DAYS", [0, -1, 36_501], [1, 90, 36_500]),
        ("ANTHROPIC_TIMEOUT", [0, -1], [0.5, 600]),
        ("SIMULATED_CLAUDE_LATENCY", [-0.1], [0]),
        ("SIMULATED_CLAUDE_WEAK", [-0.1, 1.1], [0, 1]),
    ],
)
def test_a_number_that_cannot_work_is_refused(
    settings: Any, setting: str, refused: list[float], allowed: list[float]
) -> None:
    for value in refused:
        setattr(settings, setting, value)
        (error,) = check_bounds()
        assert error.id == "generation.E002"
        assert f"{setting} is {value}" in error.msg
        assert f"Set {setting} to" in str(error.hint)
        assert error in run_checks()
    for value in allowed:
        setattr(settings, setting, value)
        assert check_bounds() == []


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        (["claude-x"], "no JSON object"),
        ({"claude-x": 2}, "the price of claude-x is no JSON object"),
        ({"claude-x": {"input": "2"}}, "claude-x has no price for output"),
        ({"claude-x": {}}, "claude-x has no price for input and output"),
        ({"claude-x": {"input": "two", "output": "10"}}, "the input price of claude-x is 'two'"),
        ({"claude-x": {"input": "-2", "output": "10"}}, "the input price of claude-x is '-2'"),
        ({"claude-x": {"input": True, "output": 10}}, "the input price of claude-x is True"),
        ({"claude-x": {"input": 1, "output": None}}, "the output price of claude-x is None"),
        ({"claude-x": {"input": 1, "output": "NaN"}}, "the output price of claude-x is 'NaN'"),
        ({"claude-x": {"input": 1, "output": 2, "cached": 3}}, "claude-x has a price for cached"),
        ({"claude-x": {"input": 1, "output": 2, "long_prompt": 3}}, "long_prompt of claude-x is no JSON object"),
        ({"claude-x": {"input": 1, "output": 2, "long_prompt": {"input": 1, "output": 1}}}, "begins over None tokens"),
        ({"claude-x": {"input": 1, "output": 2, "long_prompt": {"over": 9, "input": 1}}}, "has no price for output"),
    ],
)
def test_malformed_prices_are_refused_with_the_place(settings: Any, prices: Any, words: str) -> None:
    settings.MODEL_PRICES = prices
    (error,) = check_prices()
    assert error.id == "generation.E003"
    assert words in error.msg
    assert '{"claude-x": {"input": "2", "output": "10"}}' in str(error.hint)


@pytest.mark.parametrize(
    "prices",
    [
        {},
        {"claude-x": {"input": "2", "output": 10}},
        {"claude-x": {"input": 1, "output": 2, "long_prompt": {"over": 200_000, "input": "2", "output": "3"}}},
        {"claude-x": {"input": 0.5, "output": "1.25", "cache_read": "0", "cache_write": 2}},
    ],
)
def test_prices_may_be_texts_or_numbers(settings: Any, prices: dict[str, Any]) -> None:
    settings.MODEL_PRICES = prices
    assert check_prices() == []


@pytest.mark.parametrize(
    ("setting", "refused", "hint"),
    [
        ("GENERATION_RETRY_STRATEGY", "never", "exponential, linear, fixed"),
        ("GENERATION_RETRY_STRATEGY", "", "exponential, linear, fixed"),
        ("ANTHROPIC_EFFORT", "huge", "low, medium, high, xhigh, max, or leave it empty"),
    ],
)
def test_a_word_that_means_nothing_is_refused(settings: Any, setting: str, refused: str, hint: str) -> None:
    setattr(settings, setting, refused)
    (error,) = check_words()
    assert (error.id, hint in str(error.hint)) == ("generation.E004", True)
    assert check_configuration() == [], "it is said once"


def test_settings_that_do_not_go_together_are_refused(settings: Any) -> None:
    settings.ANTHROPIC_MODEL, settings.ANTHROPIC_EFFORT = "claude-haiku-4-5", "low"
    (error,) = check_configuration()
    assert error.id == "generation.E005"
    assert "effort low (setting ANTHROPIC_EFFORT) is not taken by claude-haiku-4-5 (setting" in error.msg


def test_a_model_that_ends_is_warned_of(settings: Any) -> None:
    settings.ANTHROPIC_MODEL = "claude-opus-4-0"
    (warning,) = check_configuration()
    assert (warning.id, warning.hint) == ("generation.W001", "Set ANTHROPIC_MODEL to a present model.")
    assert "has retired claude-opus-4-0 on 15 June 2026" in warning.msg


@pytest.mark.django_db
def test_models_that_end_are_found_where_curators_set_them_and_are_named_once() -> None:
    workspace = WorkspaceFactory(name="Practice", model="claude-opus-4-0")
    PromptTemplateFactory(workspace=workspace, name="Grief", model="claude-opus-4-0")
    PromptTemplateFactory(workspace=workspace, name="Old", model="claude-2.0", active=False)
    PromptTemplateFactory(workspace=workspace, name="New", model="claude-opus-5-5")
    (warning,) = check_models_in_use(databases=["default"])
    assert warning.id == "generation.W002"
    assert "It is set for workspace “Practice”, template “Grief”." in warning.msg
    assert check_models_in_use(databases=None) == []
