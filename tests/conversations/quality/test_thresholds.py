"""The setting QUALITY_THRESHOLDS: what it changes, what it refuses, and its documentation."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured

from conversations.checks import check_quality_thresholds
from conversations.choices import Tier
from conversations.quality import Sample, Turn, assess, thresholds_in_force
from conversations.quality.in_force import overridden
from conversations.quality.thresholds import DEFAULTS, TIERS, Range, Thresholds

PAGE = Path(configured.BASE_DIR, "docs", "quality.md")
FOUR_TURNS = Sample((Turn("user", "word " * 20 + "?"), Turn("assistant", "answer " * 80 + ".")) * 2, "template")


def problems(overrides: Any) -> list[str]:
    return [problem.sentence for problem in overridden(overrides)[1]]


def test_without_overrides_the_defaults_are_in_force(settings: Any) -> None:
    settings.QUALITY_THRESHOLDS = {}
    assert thresholds_in_force() == DEFAULTS


def test_what_is_overridden_counts_at_once_and_the_rest_stays(settings: Any) -> None:
    settings.QUALITY_THRESHOLDS = {"turns_target": [2, 4], "turns_half": [1, 20], "flag_below": 2}
    limits = thresholds_in_force()
    assert (limits.turns_target, limits.flag_below, limits.user_words) == (Range(2, 4), 2, DEFAULTS.user_words)
    count = assess(FOUR_TURNS).components[0]
    assert (float(count.score), count.target) == (10, "2–4 turns")
    settings.QUALITY_THRESHOLDS = {}
    assert float(assess(FOUR_TURNS).components[0].score) == 5


def test_the_bound_of_review_can_be_moved(settings: Any) -> None:
    assert not assess(FOUR_TURNS).needs_review
    settings.QUALITY_THRESHOLDS = {"review_below": 9.5}
    assert assess(FOUR_TURNS).needs_review


def test_a_rule_of_weight_nothing_is_shown_and_does_not_count(settings: Any) -> None:
    settings.QUALITY_THRESHOLDS = {"turn_count_weight": 0, "length_weight": 0.35}
    report = assess(FOUR_TURNS)
    assert [(part.name, part.weight) for part in report.components][:2] == [("turn_count", 0), ("length", 0.467)]
    assert sum(part.weight for part in report.components) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(
    ("threshold", "value", "flag"),
    [
        ("user_words", [30, 100], "user"),
        ("assistant_words_template", [90, 100], "assistant"),
        ("repeat_words", 200, ""),
        ("near_duplicate_from", 0, "near_duplicate"),
    ],
)
def test_every_rule_reads_its_own_thresholds(threshold: str, value: Any, flag: str, settings: Any) -> None:
    before = assess(FOUR_TURNS).as_json()
    settings.QUALITY_THRESHOLDS = {threshold: value}
    after = assess(FOUR_TURNS).as_json()
    assert after != before
    assert flag in json.dumps(after)


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ([6.5], "QUALITY_THRESHOLDS is no JSON object."),
        ({"review_bellow": 6.5}, "QUALITY_THRESHOLDS names “review_bellow”, which no rule uses."),
        ({"review_below": "6.5"}, 'review_below in QUALITY_THRESHOLDS is "6.5", which cannot work.'),
        ({"review_below": True}, "review_below in QUALITY_THRESHOLDS is true, which cannot work."),
        ({"review_below": 11}, "review_below in QUALITY_THRESHOLDS is 11, which cannot work."),
        ({"review_below": None}, "review_below in QUALITY_THRESHOLDS is null, which cannot work."),
        ({"repeat_words": 2.5}, "repeat_words in QUALITY_THRESHOLDS is 2.5, which cannot work."),
        ({"turns_target": 8}, "turns_target in QUALITY_THRESHOLDS is 8, which cannot work."),
        ({"turns_target": [16, 8]}, "turns_target in QUALITY_THRESHOLDS is [16, 8], which cannot work."),
        ({"turns_target": [8, 12, 16]}, "turns_target in QUALITY_THRESHOLDS is [8, 12, 16], which cannot work."),
        ({"user_words": [0, 50]}, "user_words in QUALITY_THRESHOLDS is [0, 50], which cannot work."),
        ({"length_weight": 0.5}, "The weights in QUALITY_THRESHOLDS"),
        (
            {name.name: 0 for name in fields(Thresholds) if name.name.endswith("_weight")}
            | {"required_elements_weight": 1},
            "required_elements_weight in QUALITY_THRESHOLDS is 1",
        ),
        ({"alternation_points": 5}, "The points for structure in QUALITY_THRESHOLDS do not sum to 10."),
        (
            {"leftovers_signal": 0, "machine_signal": 0, "finished_signal": 0, "repeated_signal": 0},
            "QUALITY_THRESHOLDS takes away all signals",
        ),
        ({"turns_half": [9, 20]}, "The ranges of turns in QUALITY_THRESHOLDS do not lie within each other."),
        ({"turns_nothing": [0, 18]}, "The ranges of turns in QUALITY_THRESHOLDS do not lie within each other."),
        ({"short_nothing_share": 1}, "short_nothing_share or long_nothing_times in QUALITY_THRESHOLDS is 1"),
        ({"low_confidence_below": 0.9}, "low_confidence_below in QUALITY_THRESHOLDS is above high_confidence_above."),
        ({"topic_enough": 0}, "topic_enough or source_enough in QUALITY_THRESHOLDS is 0"),
        ({"similarity": [0.5, 0.5]}, "The bounds of similarity in QUALITY_THRESHOLDS are the same."),
    ],
)
def test_what_cannot_work_is_refused_by_the_check_and_by_the_engine(
    overrides: Any, complaint: str, settings: Any
) -> None:
    settings.QUALITY_THRESHOLDS = overrides
    [error] = check_quality_thresholds()
    assert error.msg.startswith(complaint)
    assert error.id == "conversations.E001"
    assert error.hint
    with pytest.raises(ImproperlyConfigured, match="QUALITY_THRESHOLDS"):
        assess(FOUR_TURNS)


def test_a_hint_says_between_which_numbers() -> None:
    [problem] = overridden({"turns_target": [16, 8]})[1]
    hint = "Set turns_target to a list of two whole numbers, the lower bound first, from 0 to 1000 (turns)."
    assert problem.hint == hint
    assert overridden({"flag_below": -1})[1][0].hint == "Set flag_below to a number from 0 to 10 (points)."


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(problems({"review_below": "x", "turns": 8, "user_words": [9]})) == 3


def test_what_works_passes_the_check(settings: Any) -> None:
    settings.QUALITY_THRESHOLDS = {"user_words": [5, 5], "length_weight": 0.1, "uniqueness_weight": 0.15}
    assert check_quality_thresholds() == []


def test_there_is_a_length_for_each_tier() -> None:
    assert set(TIERS) == set(Tier.values)
    assert [DEFAULTS.assistant_words(tier) for tier in TIERS] == [(40, 150), (50, 180), (60, 220)]


def test_the_page_lists_every_threshold_with_its_default_unit_and_meaning() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [_row(threshold) for threshold in fields(Thresholds)]


def _row(threshold: Any) -> str:
    kind, default = threshold.metadata["kind"], threshold.default
    value = json.dumps(list(default) if isinstance(default, Range) else default)
    return f"| `{threshold.name}` | {value} | {kind.unit} | {threshold.metadata['meaning']} |"
