"""Turn count: is the conversation a real exchange, neither cut short nor dragged out?"""

from conversations.quality.report import Judgement
from conversations.quality.sample import Sample
from conversations.quality.scale import interpolate
from conversations.quality.thresholds import TURN_SCALE, TURN_TARGET

_FEWEST, _MOST = TURN_TARGET


def judge_turn_count(sample: Sample) -> Judgement:
    """Ten from 8 to 16 turns, 5 at 4 and at 20, nothing at 0 and from 24."""
    count = len(sample.turns)
    finding, advice = _in_words(count)
    return Judgement(
        actual=_turns(count),
        target=f"{_FEWEST}–{_MOST} turns",
        score=interpolate(count, TURN_SCALE),
        finding=finding,
        advice=advice,
        concern="too_few_turns" if count < _FEWEST else "too_many_turns",
    )


def _in_words(count: int) -> tuple[str, str]:
    if count == 0:
        return "The conversation has no turns yet.", f"Generate it, or write {_FEWEST} to {_MOST} turns."
    if count < _FEWEST:
        return (
            f"With {_turns(count)} the conversation ends before it has gone deep enough.",
            f"Add at least {_turns(_FEWEST - count)}, such as a follow-up question and its answer.",
        )
    if count > _MOST:
        return (
            f"With {_turns(count)} the conversation is longer than a fine-tune learns from well.",
            f"Shorten it to {_MOST} turns or fewer, or split it into two conversations.",
        )
    return "The number of turns is right.", ""


def _turns(count: int) -> str:
    return f"{count} {'turn' if count == 1 else 'turns'}"
