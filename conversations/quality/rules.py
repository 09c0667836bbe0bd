"""The rules with their weights: the one place to register a new rule."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from conversations.quality.confidence import confidence_level, confidence_of, judge_confidence
from conversations.quality.length import judge_length
from conversations.quality.report import Component, Flag, Judgement, Report, to_tenths
from conversations.quality.sample import Sample
from conversations.quality.structure import judge_structure
from conversations.quality.thresholds import FLAG_BELOW
from conversations.quality.turn_count import judge_turn_count
from conversations.quality.uniqueness import judge_uniqueness


class Rule(NamedTuple):
    """A named rule; the weights of all rules sum to 1."""

    name: str
    label: str
    weight: float
    judge: Callable[[Sample], Judgement]


RULES = (
    Rule("turn_count", "Turn count", 0.25, judge_turn_count),
    Rule("length", "Length", 0.20, judge_length),
    Rule("structure", "Structure", 0.25, judge_structure),
    Rule("confidence", "Confidence", 0.15, judge_confidence),
    Rule("uniqueness", "Uniqueness", 0.15, judge_uniqueness),
)


def assess(sample: Sample) -> Report:
    """Judge `sample` by every rule; the score is the weighted mean of the components' rounded scores."""
    components = tuple(_component(rule, sample) for rule in RULES)
    confidence = confidence_of(next(part.score for part in components if part.name == "confidence"))
    return Report(
        score=to_tenths(sum((Decimal(str(part.weight)) * part.score for part in components), Decimal())),
        components=components,
        confidence=confidence,
        confidence_level=confidence_level(confidence),
    )


def _component(rule: Rule, sample: Sample) -> Component:
    judgement = rule.judge(sample)
    score = to_tenths(judgement.score)
    return Component(
        name=rule.name,
        label=rule.label,
        actual=judgement.actual,
        target=judgement.target,
        weight=rule.weight,
        score=score,
        finding=judgement.finding,
        advice=judgement.advice,
        flags=judgement.defects + _concern(judgement, score),
    )


def _concern(judgement: Judgement, score: Decimal) -> tuple[Flag, ...]:
    if score < FLAG_BELOW and judgement.concern:
        return (Flag(judgement.concern, judgement.finding),)
    return ()
