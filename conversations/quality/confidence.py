"""Confidence: how sure can we be that this is the conversation that was ordered, complete and clean?"""

from decimal import Decimal
from typing import NamedTuple

from conversations.quality.elements import share_present, stated_elements
from conversations.quality.report import EMPTY_ADVICE, Judgement, to_tenths
from conversations.quality.sample import Sample
from conversations.quality.thresholds import DEFAULTS, Thresholds
from conversations.quality.wording import is_finished, leftover_in, machine_talk_in
from conversations.quality.words import share_mentioned, significant_words


class _Signal(NamedTuple):
    """A sign that the order was met: its weight, how far it is seen (0–1), what to say if it is not."""

    weight: float
    seen: float
    finding: str
    advice: str


def judge_confidence(sample: Sample, limits: Thresholds = DEFAULTS) -> Judgement:
    """Ten times the weighted share of the signals that are seen; signals that do not apply are left out."""
    target = f"above {limits.high_confidence_above:g} (high)"
    if sample.is_empty:
        return Judgement("0.0 (low)", target, 0.0, "There is nothing to judge yet.", EMPTY_ADVICE, "low_confidence")
    signals = [signal for signal in _signals(sample, limits) if signal is not None]
    total = sum(signal.weight for signal in signals)
    score = 10 * sum(signal.weight * signal.seen for signal in signals) / total
    weak = [signal for signal in signals if signal.seen < 1]
    value = confidence_of(to_tenths(score))
    return Judgement(
        actual=f"{value} ({confidence_level(value, limits)})",
        target=target,
        score=score,
        finding=" ".join(signal.finding for signal in weak) or "It looks like what was ordered.",
        advice=" ".join(signal.advice for signal in weak),
        concern="low_confidence",
    )


def confidence_of(score: Decimal) -> float:
    """The confidence (0–1, two decimals) behind this component's score."""
    return float(score / 10)


def confidence_level(value: float, limits: Thresholds = DEFAULTS) -> str:
    """ "high" above 0.8, "low" below 0.5, else "medium"."""
    if value > limits.high_confidence_above:
        return "high"
    return "low" if value < limits.low_confidence_below else "medium"


def _signals(sample: Sample, limits: Thresholds) -> tuple[_Signal | None, ...]:
    return (
        _topic(sample, limits),
        _elements(sample, limits),
        _source(sample, limits),
        _no_leftovers(sample, limits),
        _no_machine(sample, limits),
        _finished(sample, limits),
        _nothing_repeated(sample, limits),
    )


def _topic(sample: Sample, limits: Thresholds) -> _Signal | None:
    terms = significant_words(sample.topic)
    if not terms:
        return None
    return _Signal(
        limits.topic_signal,
        min(1.0, share_mentioned(terms, sample.spoken) / limits.topic_enough),
        f"The topic, “{sample.topic.strip()}”, is hardly mentioned.",
        "Check that the conversation is about its topic, and name it.",
    )


def _elements(sample: Sample, limits: Thresholds) -> _Signal | None:
    if not stated_elements(sample):
        return None
    return _Signal(
        limits.elements_signal,
        share_present(sample),
        "Not everything that the template requires was said.",
        "Add what is named under Required elements.",
    )


def _source(sample: Sample, limits: Thresholds) -> _Signal | None:
    terms = significant_words(sample.source_text)[: limits.source_terms]
    if not terms:
        return None
    return _Signal(
        limits.source_signal,
        min(1.0, share_mentioned(terms, sample.spoken) / limits.source_enough),
        "The conversation draws little on its source text.",
        "Compare it with the source and bring in its facts and terms.",
    )


def _no_leftovers(sample: Sample, limits: Thresholds) -> _Signal:
    leftover = next((found for turn in sample.turns if (found := leftover_in(turn.content))), "")
    return _Signal(
        limits.leftovers_signal,
        float(not leftover),
        f"A placeholder or tag was left in the text: “{leftover}”.",
        "Replace it with real words.",
    )


def _no_machine(sample: Sample, limits: Thresholds) -> _Signal:
    answers = sample.by_role("assistant")
    phrase = next((found for turn in answers if (found := machine_talk_in(turn.content))), "")
    return _Signal(
        limits.machine_signal,
        float(not phrase),
        f"The assistant speaks about itself as a machine: “{phrase}”.",
        "Rewrite the passage in the voice of your expert.",
    )


def _finished(sample: Sample, limits: Thresholds) -> _Signal:
    return _Signal(
        limits.finished_signal,
        float(is_finished(sample.turns[-1].content)),
        "The last turn stops in mid-sentence.",
        "Finish the last sentence.",
    )


def _nothing_repeated(sample: Sample, limits: Thresholds) -> _Signal:
    repeated = _repeated_position(sample, limits.repeat_words)
    return _Signal(
        limits.repeated_signal,
        float(not repeated),
        f"Turn {repeated} repeats an earlier turn word for word.",
        "Rewrite one of the two turns.",
    )


def _repeated_position(sample: Sample, least_words: int) -> int:
    """Position (from 1) of the first turn that was said before, or 0; short phrases may come twice."""
    seen: set[tuple[str, ...]] = set()
    for position, turn in enumerate(sample.turns, start=1):
        if turn.words in seen:
            return position
        if len(turn.words) >= least_words:
            seen.add(turn.words)
    return 0
