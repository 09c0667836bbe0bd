"""Whole conversations with known defects, and the score that each component gives them.

A changed number here is a changed product, since curators compare scores over months: change it on purpose.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from conversations.quality import Sample, Turn, assess

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))


def sample_of(order: dict[str, Any]) -> Sample:
    turns = tuple(Turn(role, content) for role, content in order["turns"])
    return Sample(**{**order, "turns": turns, "required_elements": tuple(order["required_elements"])})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_known_conversation_keeps_its_scores_and_flags(case: dict[str, Any]) -> None:
    report = assess(sample_of(case["sample"]))
    assert {
        "score": float(report.score),
        "components": {component.name: float(component.score) for component in report.components},
        "confidence_level": report.confidence_level,
        "flags": list(report.flags),
        "needs_review": report.needs_review,
    } == case["expected"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_whatever_lost_points_is_explained(case: dict[str, Any]) -> None:
    for component in assess(sample_of(case["sample"])).components:
        assert component.finding.endswith((".", "”."))
        assert component.score == 10 or not case["sample"]["turns"] or component.advice
