"""Length: does each side say as much per turn as the tier calls for?"""

from dataclasses import dataclass

from conversations.quality.report import Judgement
from conversations.quality.sample import Sample, Turn
from conversations.quality.scale import interpolate
from conversations.quality.thresholds import DEFAULTS, Range, Thresholds


@dataclass(frozen=True, slots=True)
class _Side:
    """One speaker: the average words of the turns in which something is said, against a target range."""

    role: str
    average: float
    target: Range
    nothing: Range  # at these averages, nothing is left of the score

    @property
    def is_short(self) -> bool:
        return self.average < self.target.lowest

    @property
    def is_long(self) -> bool:
        return self.average > self.target.highest

    @property
    def score(self) -> float:
        (lowest, highest), (too_short, too_long) = self.target, self.nothing
        return interpolate(self.average, ((too_short, 0.0), (lowest, 10.0), (highest, 10.0), (too_long, 0.0)))


def judge_length(sample: Sample, limits: Thresholds = DEFAULTS) -> Judgement:
    """Both sides' average words per turn against the tier's range; the assistant weighs three quarters.

    A single turn that would score nothing by itself is named, though it does not change the score.
    """
    assistant = _side(sample, "assistant", limits)
    user = _side(sample, "user", limits)
    findings, advice = _side_findings(assistant, user)
    outliers = _outliers(sample, assistant, user)
    if outliers:
        findings.append(f"{_sentence(outliers)}.")
        advice.append("Bring these turns closer to the length of the others.")
    return Judgement(
        actual=f"assistant {assistant.average:.0f}, user {user.average:.0f} words per turn",
        target=f"assistant {assistant.target}, user {user.target} words per turn",
        score=limits.assistant_length_share * assistant.score + (1 - limits.assistant_length_share) * user.score,
        finding=" ".join(findings) or "Both sides say about as much per turn as they should.",
        advice=" ".join(advice),
        concern=_concern(assistant, user),
    )


def _side(sample: Sample, role: str, limits: Thresholds) -> _Side:
    counts = [len(turn.words) for turn in sample.by_role(role) if not turn.is_empty]
    target = limits.assistant_words(sample.tier) if role == "assistant" else limits.user_words
    nothing = Range(target.lowest * limits.short_nothing_share, target.highest * limits.long_nothing_times)
    return _Side(role, sum(counts) / len(counts) if counts else 0.0, target, nothing)


def _side_findings(*sides: _Side) -> tuple[list[str], list[str]]:
    findings: list[str] = []
    advice: list[str] = []
    for side in sides:
        lowest, highest = side.target
        if side.average == 0:
            findings.append(f"The {side.role} says nothing.")
            advice.append(f"Give the {side.role} turns of {lowest:g} to {highest:g} words.")
        elif side.is_short:
            findings.append(f"The {side.role}'s turns are short: {_words(side.average)} on average.")
            advice.append(f"Let the {side.role} say more, at least {lowest:g} words per turn.")
        elif side.is_long:
            findings.append(f"The {side.role}'s turns are long: {_words(side.average)} on average.")
            advice.append(f"Tighten the {side.role}'s turns to {highest:g} words or fewer.")
    return findings, advice


def _outliers(sample: Sample, *sides: _Side) -> list[str]:
    """Turns whose size alone would score nothing; empty ones are left to the structure."""
    nothing = {side.role: side.nothing for side in sides}
    return [
        f"turn {position} ({turn.role}) is {size} with {_words(len(turn.words))}"
        for position, turn in enumerate(sample.turns, start=1)
        if turn.role in nothing and (size := _odd_size(turn, nothing[turn.role]))
    ]


def _odd_size(turn: Turn, nothing: Range) -> str:
    if len(turn.words) > nothing.highest:
        return "very long"
    if not turn.is_empty and len(turn.words) < nothing.lowest:
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
