"""How Claude is asked: who decides what, and what does not go together."""

from decimal import Decimal
from typing import Any

import pytest

from generation.configuration import Configuration, Overrides, configuration_of
from generation.errors import ConfigurationInvalid
from tests.factories import PromptTemplateFactory, WorkspaceFactory

MODEL = "claude-sonnet-5-5"
OLDER = "claude-sonnet-4-6"


def test_without_any_say_the_settings_hold(settings: Any) -> None:
    settings.ANTHROPIC_MODEL, settings.ANTHROPIC_MAX_TOKENS, settings.ANTHROPIC_EFFORT = "claude-opus-5-5", 9_000, "low"
    assert configuration_of([None, None]) == Configuration("claude-opus-5-5", 9_000, "low")


@pytest.mark.django_db
def test_run_template_workspace_and_settings_are_asked_in_this_order_each_value_by_itself(settings: Any) -> None:
    settings.ANTHROPIC_MAX_TOKENS = 9_000
    workspace = WorkspaceFactory(name="Practice", model="claude-opus-4-5", effort="low", temperature="0.3")
    template = PromptTemplateFactory(name="Grief", workspace=workspace, model=OLDER, temperature="0.7")
    configuration = configuration_of([Overrides(effort="medium"), template, workspace])
    assert (configuration.model, configuration.max_tokens, configuration.effort) == (OLDER, 9_000, "medium")
    assert float(configuration.temperature or 0) == 0.7
    assert configuration.origins == {
        "model": "template “Grief”",
        "max_tokens": "setting ANTHROPIC_MAX_TOKENS",
        "effort": "this run",
        "temperature": "template “Grief”",
    }


@pytest.mark.django_db
def test_a_temperature_of_zero_is_a_say() -> None:
    template = PromptTemplateFactory(model=OLDER, temperature="0")
    workspace = WorkspaceFactory(temperature="0.9")
    assert float(configuration_of([None, template, workspace]).temperature or 0) == 0.0


def test_people_read_what_holds_and_who_said_so(settings: Any) -> None:
    settings.ANTHROPIC_MAX_TOKENS = 16_000
    words = configuration_of([Overrides(model=OLDER, temperature=Decimal("0.7"))]).in_words()
    assert words == (
        "claude-sonnet-4-6 (this run), max tokens 16,000 (setting ANTHROPIC_MAX_TOKENS), temperature 0.7 (this run)"
    )


GOOD = [
    Configuration(MODEL, 16_000),
    Configuration(MODEL, 21_333, effort="max"),
    Configuration("claude-haiku-5-5", 1, effort="xhigh"),
    Configuration(OLDER, 16_000, effort="max", temperature=Decimal("0.2")),
    Configuration("claude-haiku-4-5-20251001", 16_000, top_p=Decimal("0.9")),
    Configuration("claude-opus-4-5", 16_000, effort="high"),
    Configuration("claude-of-next-year", 16_000, effort="xhigh"),
]


@pytest.mark.parametrize("configuration", GOOD, ids=lambda one: one.in_words())
def test_what_the_model_takes_is_in_order(configuration: Configuration) -> None:
    assert configuration.problems() == {}
    configuration.check()


BAD = [
    (Configuration(MODEL, 21_334), "max_tokens", "max tokens 21,334 is more than the 21,333 tokens"),
    (Configuration(MODEL, 0), "max_tokens", "leaves no room for a reply: set 1 or more"),
    (Configuration(MODEL, 1, temperature=Decimal("0.7")), "temperature", "Leave temperature empty, or choose such a"),
    (Configuration("claude-opus-4-7", 1, top_p=Decimal("0.7")), "top_p", "only older models such as claude-sonnet-4-6"),
    (Configuration("claude-of-next-year", 1, temperature=Decimal(0)), "temperature", "is not taken by"),
    (Configuration("claude-haiku-4-5", 1, effort="low"), "effort", "leave effort empty, or choose another model"),
    (Configuration("claude-opus-4-5", 1, effort="max"), "effort", "choose low or medium or high"),
    (Configuration(OLDER, 1, effort="xhigh"), "effort", "choose low or medium or high or max"),
    (Configuration(OLDER, 1, temperature=Decimal(1), top_p=Decimal(1)), "top_p", "not both"),
]


@pytest.mark.parametrize(("configuration", "field", "words"), BAD, ids=[f"{one.model} {name}" for one, name, _ in BAD])
def test_what_it_does_not_take_is_named_with_what_to_do(configuration: Configuration, field: str, words: str) -> None:
    problems = configuration.problems()
    assert list(problems) == [field]
    assert words in problems[field]
    with pytest.raises(ConfigurationInvalid, match=r".+") as refused:
        configuration.check()
    assert str(refused.value) == problems[field]


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = Configuration("claude-haiku-5-5", 30_000, temperature=Decimal(1), top_p=Decimal(1))
    assert set(wrong.problems()) == {"max_tokens", "temperature", "top_p"}


def test_an_operator_can_name_further_models_that_take_a_temperature(settings: Any) -> None:
    settings.SAMPLING_MODELS = ["our-proxys-model"]
    assert Configuration("our-proxys-model", 1, temperature=Decimal("0.7")).problems() == {}


def test_sampling_is_sent_only_where_it_is_set() -> None:
    assert Configuration(MODEL, 5).as_request() == {"model": MODEL, "max_tokens": 5}
    warm = Configuration(OLDER, 5, temperature=Decimal("0.70"))
    assert warm.as_request() == {"model": OLDER, "max_tokens": 5, "temperature": 0.7}
