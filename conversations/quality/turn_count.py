"""Turn count: is the conversation a real exchange, neither cut short nor dragged out?"""

from conversations.quality.report import Judgement
from conversations.quality.sample import Sample
from conversations.quality.scale import interpolate
from conversations.quality.thresholds import DEFAULTS, Range, Thresholds


def judge_turn_count(sample: Sample, limits: Thresholds = DEFAULTS) -> Judgement:
    """Ten from 8 to 16 turns, 5 at 4 and at 20, nothing at 0 and from 24; straight lines between."""
    count = len(sample.turns)
    finding, advice = _in_words(count, limits.turns_target)
    return Judgement(
        actual=_turns(count),
        target=f"{limits.turns_target} turns",
        score=interpolate(count, _scale(limits)),
        finding=finding,
        advice=advice,
        concern="too_few_turns" if count < limits.turns_target.lowest else "too_many_turns",
    )


def _scale(limits: Thresholds) -> list[tuple[float, float]]:
    nothing, half, target = limits.turns_nothing, limits.turns_half, limits.turns_target
    rising = [(nothing.lowest, 0.0), (half.lowest, 5.0), (target.lowest, 10.0)]
    return [*rising, (target.highest, 10.0), (half.highest, 5.0), (nothing.highest, 0.0)]


def _in_words(count: int, target: Range) -> tuple[str, str]:
    if count == 0:
        return (
            "The conversation has no turns yet.",
            f"Generate it, or write {target.lowest:g} to {target.highest:g} turns.",
        )
    if count < target.lowest:
        return (
            f"With {_turns(count)} the conversation ends before it has gone deep enough.",
            f"Add at least {_turns(target.lowest - count)}, such as a follow-up question and its answer.",
        )
    if count > target.highest:
        return (
            f"With {_turns(count)} the conversation is longer than a fine-tune learns from well.",
            f"Shorten it to {target.highest:g} turns or fewer, or split it into two conversations.",
        )
    return "The number of turns is right.", ""


def _turns(count: float) -> str:
    return f"{count:g} {'turn' if count == 1 else 'turns'}"
