import json
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.quality import RULES, Report, Sample, Turn, assess
from conversations.quality.report import to_tenths
from conversations.quality.thresholds import DEFAULTS, TIERS

ROLES = ("user", "assistant")


def conversation(turns: int, user_words: int, assistant_words: int, end: str = ".") -> tuple[Turn, ...]:
    """Alternating turns of the given sizes; each is different from the others."""
    sizes = {"user": user_words, "assistant": assistant_words}
    return tuple(
        Turn(role, " ".join(f"budget{number}x{word}" for word in range(sizes[role])) + end)
        for number, role in zip(range(turns), cycle(ROLES), strict=False)
    )


FINE = Sample(conversation(10, 20, 80), "template")
TERSE = replace(FINE, turns=conversation(6, 8, 15), required_elements=("emergency fund | rainy-day fund", "next step"))


def flag_names(report: Report) -> list[str]:
    return [flag["name"] for flag in report.as_json()["flags"]]


def test_each_rule_has_a_weight_and_they_sum_to_one() -> None:
    assert sum(Decimal(str(DEFAULTS.weight_of(rule.name))) for rule in RULES) == 1


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("turns", [8, 12, 16])
def test_a_conversation_that_is_fine_in_everything_scores_nine_or_more(tier: str, turns: int) -> None:
    report = assess(Sample(conversation(turns, 20, 80), tier, topic="Budget"))
    assert report.score >= 9
    assert (report.flags, report.needs_review, report.confidence_level) == ((), False, "high")


@pytest.mark.parametrize("topic", ["", "Budget"])
@pytest.mark.parametrize("tier", TIERS)
def test_a_terse_six_turn_conversation_without_its_elements_goes_to_review(tier: str, topic: str) -> None:
    report = assess(replace(TERSE, tier=tier, topic=topic))
    assert report.score < 6
    assert report.needs_review
    assert "missing_elements" in report.flags


def test_the_score_is_the_weighted_mean_of_the_components_shown() -> None:
    report = assess(TERSE)
    mean = sum(Decimal(str(part.weight)) * part.score for part in report.components)
    assert report.score == to_tenths(mean)


def test_a_hard_defect_goes_to_review_whatever_the_score() -> None:
    report = assess(replace(FINE, nearest_similarity=0.85, nearest_id="TPL-0002"))
    assert report.score > 8
    assert report.needs_review
    assert report.flags == ("near_duplicate",)


def test_a_weak_component_alone_is_flagged_but_needs_no_review() -> None:
    report = assess(replace(FINE, nearest_similarity=0.65, nearest_id="TPL-0002"))
    assert report.flags == ("similar_conversation",)
    assert not report.needs_review


def test_a_component_at_five_is_not_flagged() -> None:
    assert assess(replace(FINE, turns=conversation(4, 20, 80))).flags == ()


def test_an_empty_conversation_scores_nothing() -> None:
    report = assess(Sample((), "template"))
    assert (float(report.score), report.confidence, report.confidence_level) == (0.0, 0.0, "low")
    assert "empty_conversation" in report.flags


def test_confidence_is_a_tenth_of_its_component() -> None:
    report = assess(Sample(conversation(8, 20, 80, end=""), "template", topic="Budget"))
    assert (report.confidence, report.confidence_level) == (0.83, "high")


def test_without_required_elements_nothing_is_given_away_for_them() -> None:
    """Of 7.5 (turns), 4.1 (length), 10, 10 and 10, weighed 4 : 3 : 3 : 3 : 2."""
    report = assess(replace(TERSE, required_elements=()))
    assert [float(part.score) for part in report.components] == [7.5, 4.1, 10, 10, 10]
    assert float(report.score) == 8.2


def test_the_report_survives_json_unchanged() -> None:
    report = assess(TERSE).as_json()
    assert json.loads(json.dumps(report)) == report
    assert list(report) == ["score", "confidence", "confidence_level", "components", "flags"]
    assert list(report["components"][0]) == [
        "name", "label", "actual", "target", "weight", "score", "finding", "advice",
    ]  # fmt: skip
    assert report["flags"][0] == {
        "name": "too_short",
        "message": "The assistant's turns are short: 15 words on average.",
    }
    assert flag_names(assess(TERSE)) == list(assess(TERSE).flags)


@pytest.mark.parametrize(
    ("value", "rounded"), [(7.25, "7.3"), (7.249999999999999, "7.3"), (7.24, "7.2"), (0, "0.0"), (10, "10.0")]
)
def test_halves_are_rounded_upwards(value: float, rounded: str) -> None:
    assert str(to_tenths(value)) == rounded


def test_a_sample_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        FINE.tier = "scenario"  # type: ignore[misc]


def test_a_tier_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown tier 'gold': expected one of template, scenario, edge_case"):
        Sample((), "gold")


@settings(max_examples=60, deadline=None)
@given(
    turns=st.lists(st.builds(Turn, st.sampled_from([*ROLES, "system"]), st.text(max_size=80)), max_size=26),
    tier=st.sampled_from(TIERS),
    topic=st.text(max_size=40),
    source=st.text(max_size=120),
    elements=st.lists(st.text(max_size=20), max_size=3),
    similarity=st.floats(0, 1),
)
def test_any_text_yields_a_valid_report(
    turns: list[Turn], tier: str, topic: str, source: str, elements: list[str], similarity: float
) -> None:
    report = assess(
        Sample(
            tuple(turns),
            tier,
            topic=topic,
            source_text=source,
            required_elements=tuple(elements),
            nearest_similarity=similarity,
        )
    )
    for score in (report.score, *(part.score for part in report.components)):
        assert 0 <= score <= 10
        assert score.as_tuple().exponent == -1
    assert 0 <= report.confidence <= 1
    json.dumps(report.as_json(), allow_nan=False)
