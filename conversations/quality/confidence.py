"""Confidence: how sure can we be that this is the conversation that was ordered, complete and clean?"""

from decimal import Decimal
from typing import NamedTuple

from conversations.quality.elements import share_present, stated_elements
from conversations.quality.report import Judgement, to_tenths
from conversations.quality.sample import Sample
from conversations.quality.thresholds import (
    ELEMENTS_WEIGHT,
    FINISHED_WEIGHT,
    HIGH_CONFIDENCE_ABOVE,
    LEFTOVERS_WEIGHT,
    LOW_CONFIDENCE_BELOW,
    MACHINE_WEIGHT,
    REPEAT_AT_LEAST_WORDS,
    REPEATED_WEIGHT,
    SOURCE_ENOUGH,
    SOURCE_TERMS,
    SOURCE_WEIGHT,
    TOPIC_ENOUGH,
    TOPIC_WEIGHT,
)
from conversations.quality.wording import is_finished, leftover_in, machine_talk_in
from conversations.quality.words import share_mentioned, significant_words

_TARGET = f"above {HIGH_CONFIDENCE_ABOVE} (high)"


class _Signal(NamedTuple):
    """A sign that the order was met: its weight, how far it is seen (0–1), what to say if it is not."""

    weight: float
    seen: float
    finding: str
    advice: str


def judge_confidence(sample: Sample) -> Judgement:
    """Ten times the weighted share of the signals that are seen; signals that do not apply are left out."""
    if sample.is_empty:
        return Judgement("0.0 (low)", _TARGET, 0.0, "There is nothing to judge yet.", "", "low_confidence")
    signals = [signal for signal in _signals(sample) if signal is not None]
    total = sum(signal.weight for signal in signals)
    score = 10 * sum(signal.weight * signal.seen for signal in signals) / total
    weak = [signal for signal in signals if signal.seen < 1]
    value = confidence_of(to_tenths(score))
    return Judgement(
        actual=f"{value} ({confidence_level(value)})",
        target=_TARGET,
        score=score,
        finding=" ".join(signal.finding for signal in weak) or "It looks like what was ordered.",
        advice=" ".join(signal.advice for signal in weak),
        concern="low_confidence",
    )


def confidence_of(score: Decimal) -> float:
    """The confidence (0–1, two decimals) behind this component's score."""
    return float(score / 10)


def confidence_level(value: float) -> str:
    """ "high" above 0.8, "low" below 0.5, else "medium"."""
    if value > HIGH_CONFIDENCE_ABOVE:
        return "high"
    return "low" if value < LOW_CONFIDENCE_BELOW else "medium"


def _signals(sample: Sample) -> tuple[_Signal | None, ...]:
    return (
        _topic(sample),
        _elements(sample),
        _source(sample),
        _no_leftovers(sample),
        _no_machine(sample),
        _finished(sample),
        _nothing_repeated(sample),
    )


def _topic(sample: Sample) -> _Signal | None:
    terms = significant_words(sample.topic)
    if not terms:
        return None
    return _Signal(
        TOPIC_WEIGHT,
        min(1.0, share_mentioned(terms, sample.spoken) / TOPIC_ENOUGH),
        f"The topic, “{sample.topic.strip()}”, is hardly mentioned.",
        "Check that the conversation is about its topic, and name it.",
    )


def _elements(sample: Sample) -> _Signal | None:
    if not stated_elements(sample):
        return None
    return _Signal(
        ELEMENTS_WEIGHT,
        share_present(sample),
        "Not everything that the template requires was said.",
        "Add the required elements listed under Structure.",
    )


def _source(sample: Sample) -> _Signal | None:
    terms = significant_words(sample.source_text)[:SOURCE_TERMS]
    if not terms:
        return None
    return _Signal(
        SOURCE_WEIGHT,
        min(1.0, share_mentioned(terms, sample.spoken) / SOURCE_ENOUGH),
        "The conversation draws little on its source text.",
        "Compare it with the source and bring in its facts and terms.",
    )


def _no_leftovers(sample: Sample) -> _Signal:
    leftover = next((found for turn in sample.turns if (found := leftover_in(turn.content))), "")
    return _Signal(
        LEFTOVERS_WEIGHT,
        float(not leftover),
        f"A placeholder or tag was left in the text: “{leftover}”.",
        "Replace it with real words.",
    )


def _no_machine(sample: Sample) -> _Signal:
    answers = sample.by_role("assistant")
    phrase = next((found for turn in answers if (found := machine_talk_in(turn.content))), "")
    return _Signal(
        MACHINE_WEIGHT,
        float(not phrase),
        f"The assistant speaks about itself as a machine: “{phrase}”.",
        "Rewrite the passage in the voice of your expert.",
    )


def _finished(sample: Sample) -> _Signal:
    return _Signal(
        FINISHED_WEIGHT,
        float(is_finished(sample.turns[-1].content)),
        "The last turn stops in mid-sentence.",
        "Finish the last sentence.",
    )


def _nothing_repeated(sample: Sample) -> _Signal:
    repeated = _repeated_position(sample)
    return _Signal(
        REPEATED_WEIGHT,
        float(not repeated),
        f"Turn {repeated} repeats an earlier turn word for word.",
        "Rewrite one of the two turns.",
    )


def _repeated_position(sample: Sample) -> int:
    """Position (from 1) of the first turn that was said before, or 0; short phrases may come twice."""
    seen: set[tuple[str, ...]] = set()
    for position, turn in enumerate(sample.turns, start=1):
        if turn.words in seen:
            return position
        if len(turn.words) >= REPEAT_AT_LEAST_WORDS:
            seen.add(turn.words)
    return 0
