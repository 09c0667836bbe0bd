"""Structure: is it a well-formed dialogue?"""

from itertools import pairwise
from typing import NamedTuple

from conversations.quality.report import EMPTY_ADVICE, Flag, Judgement
from conversations.quality.sample import Sample
from conversations.quality.thresholds import DEFAULTS, Thresholds

_ROLES = {"user", "assistant"}
_FORM = "user first, assistant last, taking turns"
_EMPTY_CONVERSATION = Flag("empty_conversation", "Nobody says anything in this conversation.", hard=True)


class _Check(NamedTuple):
    """One demand on the form: its points, whether it is met, and what to say when it is not."""

    points: float
    is_met: bool
    finding: str
    advice: str


def judge_structure(sample: Sample, limits: Thresholds = DEFAULTS) -> Judgement:
    """Points for each demand that is met: user first, assistant last, roles alternate, nothing empty.

    An empty turn, or a conversation in which nobody says anything, caps the score at 2 and is a hard defect.
    """
    if sample.is_empty:
        return _judge_empty()
    checks = _form_checks(sample, limits)
    failed = [check for check in checks if not check.is_met]
    score = sum(check.points for check in checks if check.is_met)
    defects = _defects(sample)
    return Judgement(
        actual=_actual(sample),
        target=_FORM,
        score=min(score, limits.empty_turn_cap) if defects else score,
        finding=" ".join(check.finding for check in failed) or "The dialogue is well formed.",
        advice=" ".join(check.advice for check in failed),
        concern="" if defects else "broken_structure",
        defects=defects,
    )


def _judge_empty() -> Judgement:
    return Judgement(
        actual="empty",
        target=_FORM,
        score=0.0,
        finding=_EMPTY_CONVERSATION.message,
        advice=EMPTY_ADVICE,
        defects=(_EMPTY_CONVERSATION,),
    )


def _form_checks(sample: Sample, limits: Thresholds) -> list[_Check]:
    first, last = sample.turns[0], sample.turns[-1]
    stumble = _first_stumble(sample)
    empty = _empty_positions(sample)
    return [
        _Check(
            limits.user_first_points,
            first.role == "user",
            "The user does not open the conversation.",
            "Begin with a turn of the user.",
        ),
        _Check(
            limits.assistant_last_points,
            last.role == "assistant",
            "The assistant does not have the last word.",
            "Close with a turn of the assistant.",
        ),
        _Check(
            limits.alternation_points,
            stumble == 0,
            f"User and assistant do not take turns: look at turn {stumble}.",
            "Join neighbouring turns of the same speaker, or add the turn that is missing between them.",
        ),
        _Check(
            limits.nothing_empty_points,
            not empty,
            _empty_finding(empty),
            "Write what is missing there, or remove the empty turn together with its counterpart.",
        ),
    ]


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


def _actual(sample: Sample) -> str:
    roles = f"{sample.turns[0].role} first, {sample.turns[-1].role} last"
    return roles + ("" if _first_stumble(sample) else ", taking turns")
