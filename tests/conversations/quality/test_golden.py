"""Whole conversations with known defects, and the score that each component gives them.

A changed number here is a changed product, since curators compare scores over months: change it on purpose.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from conversations.quality import Sample, Turn, assess

GOLDEN = Path(__file__).parent / "golden.toml"
CASES: list[dict[str, Any]] = tomllib.loads(GOLDEN.read_text(encoding="utf-8"))["conversation"]
BESIDE_THE_SAMPLE = ("name", "why", "expected")


def sample_of(case: dict[str, Any]) -> Sample:
    order = {name: value for name, value in case.items() if name not in BESIDE_THE_SAMPLE}
    turns = tuple(Turn(role, content) for role, content in case["turns"])
    return Sample(**{**order, "turns": turns, "required_elements": tuple(case.get("required_elements", ()))})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_known_conversation_keeps_its_scores_and_flags(case: dict[str, Any]) -> None:
    report = assess(sample_of(case))
    assert {
        "score": float(report.score),
        "components": {component.name: float(component.score) for component in report.components},
        "confidence_level": report.confidence_level,
        "flags": list(report.flags),
        "needs_review": report.needs_review,
    } == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_whatever_lost_points_is_explained(case: dict[str, Any]) -> None:
    for component in assess(sample_of(case)).components:
        assert component.finding.endswith((".", "”."))
        assert component.score == 10 or not case["turns"] or component.advice


def test_there_are_thirty_or_more_and_each_says_how_it_was_worked_out() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 30
    assert [case["name"] for case in CASES if not case["why"].strip()] == []
