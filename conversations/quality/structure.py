"""Structure: is it a well-formed dialogue that holds what the curator required?"""

from itertools import pairwise
from typing import NamedTuple

from conversations.quality.elements import in_words, missing_elements, share_present, stated_elements
from conversations.quality.report import Flag, Judgement
from conversations.quality.sample import Sample
from conversations.quality.thresholds import (
    ALTERNATION_POINTS,
    ASSISTANT_LAST_POINTS,
    EMPTY_TURN_CAP,
    NO_ELEMENTS_SHARE,
    NOTHING_EMPTY_POINTS,
    USER_FIRST_POINTS,
)

_ROLES = {"user", "assistant"}
_FORM = "user first, assistant last, taking turns"
_EMPTY_CONVERSATION = Flag("empty_conversation", "Nobody says anything in this conversation.", hard=True)


class _Check(NamedTuple):
    """One demand on the form: its points, whether it is met, and what to say when it is not."""

    points: float
    is_met: bool
    finding: str
    advice: str


def judge_structure(sample: Sample) -> Judgement:
    """Points for form (user first, assistant last, roles alternate, nothing empty) × the elements present.

    An empty turn, or a conversation in which nobody says anything, caps the score at 2 and is a hard defect.
    """
    if sample.is_empty:
        return _judge_empty()
    checks = _form_checks(sample)
    failed = [check for check in checks if not check.is_met] + _elements_check(sample)
    form = sum(check.points for check in checks if check.is_met)
    score = form * (NO_ELEMENTS_SHARE + (1 - NO_ELEMENTS_SHARE) * share_present(sample))
    defects = _defects(sample)
    return Judgement(
        actual=_actual(sample),
        target=_target(sample),
        score=min(score, EMPTY_TURN_CAP) if defects else score,
        finding=" ".join(check.finding for check in failed) or "The dialogue is well formed and complete.",
        advice=" ".join(check.advice for check in failed),
        concern=_concern(sample),
        defects=defects,
    )


def _judge_empty() -> Judgement:
    return Judgement(
        actual="empty",
        target=_FORM,
        score=0.0,
        finding=_EMPTY_CONVERSATION.message,
        advice="Generate the conversation again, or write its turns.",
        defects=(_EMPTY_CONVERSATION,),
    )


def _form_checks(sample: Sample) -> list[_Check]:
    first, last = sample.turns[0], sample.turns[-1]
    stumble = _first_stumble(sample)
    empty = _empty_positions(sample)
    return [
        _Check(
            USER_FIRST_POINTS,
            first.role == "user",
            "The user does not open the conversation.",
            "Begin with a turn of the user.",
        ),
        _Check(
            ASSISTANT_LAST_POINTS,
            last.role == "assistant",
            "The assistant does not have the last word.",
            "Close with a turn of the assistant.",
        ),
        _Check(
            ALTERNATION_POINTS,
            stumble == 0,
            f"User and assistant do not take turns: look at turn {stumble}.",
            "Join neighbouring turns of the same speaker, or add the turn that is missing between them.",
        ),
        _Check(
            NOTHING_EMPTY_POINTS,
            not empty,
            _empty_finding(empty),
            "Write what is missing there, or remove the empty turn together with its counterpart.",
        ),
    ]


def _elements_check(sample: Sample) -> list[_Check]:
    missing = missing_elements(sample)
    if not missing:
        return []
    named = ", ".join(in_words(element) for element in missing)
    advice = f"Let the assistant bring up {named}, in these words."
    return [_Check(0.0, False, f"The assistant never mentions {named}.", advice)]


def _first_stumble(sample: Sample) -> int:
    """Position (from 1) of the first turn whose speaker is unknown or spoke just before; 0 when none is."""
    roles = [turn.role for turn in sample.turns]
    if roles[0] not in _ROLES:
        return 1
    for position, (before, role) in enumerate(pairwise(roles), start=2):
        if role == before or role not in _ROLES:
            return position
    return 0


def _empty_positions(sample: Sample) -> list[int]:
    return [position for position, turn in enumerate(sample.turns, start=1) if turn.is_empty]


def _empty_finding(positions: list[int]) -> str:
    if len(positions) == 1:
        return f"Turn {positions[0]} is empty."
    return f"Turns {', '.join(map(str, positions))} are empty."


def _defects(sample: Sample) -> tuple[Flag, ...]:
    empty = _empty_positions(sample)
    return (Flag("empty_turn", _empty_finding(empty), hard=True),) if empty else ()


def _concern(sample: Sample) -> str:
    if missing_elements(sample):
        return "missing_elements"
    return "" if _empty_positions(sample) else "broken_structure"


def _actual(sample: Sample) -> str:
    roles = f"{sample.turns[0].role} first, {sample.turns[-1].role} last"
    taking_turns = "" if _first_stumble(sample) else ", taking turns"
    required = len(stated_elements(sample))
    present = required - len(missing_elements(sample))
    return roles + taking_turns + (f", {present} of {required} required elements" if required else "")


def _target(sample: Sample) -> str:
    required = len(stated_elements(sample))
    return _FORM + (f", all {required} required elements" if required else "")
