"""Length: does each side say as much per turn as the tier calls for?"""

from dataclasses import dataclass

from conversations.quality.report import Judgement
from conversations.quality.sample import Sample, Turn
from conversations.quality.scale import interpolate
from conversations.quality.thresholds import (
    ASSISTANT_LENGTH_SHARE,
    ASSISTANT_WORDS,
    NOTHING_ABOVE_TIMES,
    NOTHING_BELOW_SHARE,
    USER_WORDS,
    WordRange,
)


@dataclass(frozen=True, slots=True)
class _Side:
    """One speaker: the average words of the turns in which something is said, against a target range."""

    role: str
    average: float
    target: WordRange

    @property
    def is_short(self) -> bool:
        return self.average < self.target.lowest

    @property
    def is_long(self) -> bool:
        return self.average > self.target.highest

    @property
    def score(self) -> float:
        lowest, highest = self.target
        return interpolate(
            self.average,
            (
                (lowest * NOTHING_BELOW_SHARE, 0.0),
                (lowest, 10.0),
                (highest, 10.0),
                (highest * NOTHING_ABOVE_TIMES, 0.0),
            ),
        )


def judge_length(sample: Sample) -> Judgement:
    """Both sides' average words per turn against the tier's range; the assistant weighs three quarters.

    A single turn that would score nothing by itself is named, though it does not change the score.
    """
    assistant = _side(sample, "assistant", ASSISTANT_WORDS[sample.tier])
    user = _side(sample, "user", USER_WORDS)
    findings, advice = _side_findings(assistant, user)
    outliers = _outliers(sample)
    if outliers:
        findings.append(f"{_sentence(outliers)}.")
        advice.append("Bring these turns closer to the length of the others.")
    return Judgement(
        actual=f"assistant {assistant.average:.0f}, user {user.average:.0f} words per turn",
        target=f"assistant {_span(assistant.target)}, user {_span(user.target)} words per turn",
        score=ASSISTANT_LENGTH_SHARE * assistant.score + (1 - ASSISTANT_LENGTH_SHARE) * user.score,
        finding=" ".join(findings) or "Both sides say about as much per turn as they should.",
        advice=" ".join(advice),
        concern=_concern(assistant, user),
    )


def _side(sample: Sample, role: str, target: WordRange) -> _Side:
    counts = [len(turn.words) for turn in sample.by_role(role) if not turn.is_empty]
    return _Side(role, sum(counts) / len(counts) if counts else 0.0, target)


def _side_findings(*sides: _Side) -> tuple[list[str], list[str]]:
    findings: list[str] = []
    advice: list[str] = []
    for side in sides:
        lowest, highest = side.target
        if side.average == 0:
            findings.append(f"The {side.role} says nothing.")
            advice.append(f"Give the {side.role} turns of {lowest} to {highest} words.")
        elif side.is_short:
            findings.append(f"The {side.role}'s turns are short: {_words(side.average)} on average.")
            advice.append(f"Let the {side.role} say more, at least {lowest} words per turn.")
        elif side.is_long:
            findings.append(f"The {side.role}'s turns are long: {_words(side.average)} on average.")
            advice.append(f"Tighten the {side.role}'s turns to {highest} words or fewer.")
    return findings, advice


def _outliers(sample: Sample) -> list[str]:
    """Turns whose size alone would score nothing; empty ones are left to the structure."""
    ranges = {"assistant": ASSISTANT_WORDS[sample.tier], "user": USER_WORDS}
    return [
        f"turn {position} ({turn.role}) is {size} with {_words(len(turn.words))}"
        for position, turn in enumerate(sample.turns, start=1)
        if turn.role in ranges and (size := _odd_size(turn, ranges[turn.role]))
    ]


def _odd_size(turn: Turn, target: WordRange) -> str:
    if len(turn.words) > target.highest * NOTHING_ABOVE_TIMES:
        return "very long"
    if not turn.is_empty and len(turn.words) < target.lowest * NOTHING_BELOW_SHARE:
        return "very short"
    return ""


def _concern(assistant: _Side, user: _Side) -> str:
    worse = min(assistant, user, key=lambda side: side.score)
    return "too_long" if worse.is_long else "too_short"


def _sentence(parts: list[str]) -> str:
    joined = ", ".join(parts)
    return joined[0].upper() + joined[1:]


def _words(count: float) -> str:
    return "1 word" if round(count) == 1 else f"{count:.0f} words"


def _span(target: WordRange) -> str:
    return f"{target.lowest}–{target.highest}"
