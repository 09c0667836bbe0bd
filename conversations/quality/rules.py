"""The rules: the one place to register a new one. What each weighs is a threshold, `<name>_weight`."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from conversations.quality.confidence import confidence_level, confidence_of, judge_confidence
from conversations.quality.in_force import thresholds_in_force
from conversations.quality.length import judge_length
from conversations.quality.report import Component, Flag, Judgement, Report, to_tenths
from conversations.quality.required_elements import judge_required_elements
from conversations.quality.sample import Sample
from conversations.quality.structure import judge_structure
from conversations.quality.thresholds import Thresholds
from conversations.quality.turn_count import judge_turn_count
from conversations.quality.uniqueness import judge_uniqueness


class Rule(NamedTuple):
    """A named rule. It judges nothing (None) where it does not apply."""

    name: str
    label: str
    judge: Callable[[Sample, Thresholds], Judgement | None]


RULES = (
    Rule("turn_count", "Turn count", judge_turn_count),
    Rule("length", "Length", judge_length),
    Rule("structure", "Structure", judge_structure),
    Rule("required_elements", "Required elements", judge_required_elements),
    Rule("confidence", "Confidence", judge_confidence),
    Rule("uniqueness", "Uniqueness", judge_uniqueness),
)


class _Judged(NamedTuple):
    rule: Rule
    judgement: Judgement
    score: Decimal
    weight: Decimal


def assess(sample: Sample) -> Report:
    """Judge `sample` by every rule that applies; the score is the weighted mean of their rounded scores.

    A rule that does not apply gives no points away: its weight is shared out over the others, as they weigh.
    Raises ImproperlyConfigured where the setting QUALITY_THRESHOLDS cannot work.
    """
    limits = thresholds_in_force()
    judged = _judged(sample, limits)
    applied = sum(part.weight for part in judged)
    score = to_tenths(sum((part.weight * part.score for part in judged), Decimal()) / applied)
    confidence = confidence_of(next(part.score for part in judged if part.rule.name == "confidence"))
    return Report(
        score=score,
        components=tuple(_component(part, applied, limits) for part in judged),
        confidence=confidence,
        confidence_level=confidence_level(confidence, limits),
        review_below=limits.review_below,
    )


def _judged(sample: Sample, limits: Thresholds) -> list[_Judged]:
    judgements = [(rule, rule.judge(sample, limits)) for rule in RULES]
    return [
        _Judged(rule, judgement, to_tenths(judgement.score), Decimal(str(limits.weight_of(rule.name))))
        for rule, judgement in judgements
        if judgement is not None
    ]


def _component(part: _Judged, applied: Decimal | int, limits: Thresholds) -> Component:
    judgement = part.judgement
    return Component(
        name=part.rule.name,
        label=part.rule.label,
        actual=judgement.actual,
        target=judgement.target,
        weight=float(round(part.weight / applied, 3)),
        score=part.score,
        finding=judgement.finding,
        advice=judgement.advice,
        flags=judgement.defects + _concern(part, limits),
    )


def _concern(part: _Judged, limits: Thresholds) -> tuple[Flag, ...]:
    if part.score < Decimal(str(limits.flag_below)) and part.judgement.concern:
        return (Flag(part.judgement.concern, part.judgement.finding),)
    return ()
