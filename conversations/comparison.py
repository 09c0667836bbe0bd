"""Two versions side by side: what differs, as data.

Turns are aligned by role and likeness of their words; within a changed turn, words are told apart as added, removed and
kept. Both sides can be rebuilt from it: see `Segment`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any, Literal, TypeAlias

from conversations.choices import DimensionKind
from conversations.models import Conversation, Turn

Plain: TypeAlias = str | int | float | None
Change: TypeAlias = Literal["equal", "changed", "added", "removed"]

# A word or a sign, with the space behind it: every character belongs to one of them.
_WORD = re.compile(r"(?:\w+(?:['’]\w+)*|[^\w\s])\s*|\s+")
_REWRITTEN = 0.25  # share of kept text below which a turn is shown as rewritten
_MOST_MATCHES = 500_000  # pairs of the same word in a turn: 0.2 s or so. Two texts of 4,000 words have fewer
_ISLAND = 2  # words: so few that were kept between two changes are shown as changed, as nobody reads confetti
_FIELDS = {
    "title": "Title",
    "status": "Status",
    **{kind.value: kind.label for kind in DimensionKind},
    "category": "Category",
    "template_version": "Template version",
    "model": "Model",
    "turn_count": "Turns",
    "input_tokens": "Input tokens",
    "output_tokens": "Output tokens",
    "cost_usd": "Cost in USD",
    "quality_score": "Quality score",
}


@dataclass(frozen=True)
class Difference:
    """A fact that is not the same in both; None where one has it not. `group`: conversation, parameters or quality."""

    group: str
    label: str
    before: Plain
    after: Plain


@dataclass(frozen=True)
class Segment:
    """A stretch of text: without those added, the segments are the earlier text; without those removed, the later."""

    change: Literal["equal", "added", "removed"]
    text: str


@dataclass(frozen=True)
class TurnPair:
    """One turn of each, or of one alone. Positions count from 1. `segments` are those of a changed turn."""

    change: Change
    role: str
    before_position: int | None
    after_position: int | None
    before: str | None
    after: str | None
    segments: list[Segment] = field(default_factory=list)

    @property
    def rewritten(self) -> bool:
        """Whether a changed turn has next to nothing in common with what it was."""
        return self.change == "changed" and all(segment.change != "equal" for segment in self.segments)


@dataclass(frozen=True)
class Comparison:
    """What differs between an earlier and a later version, and all turns of both."""

    before: str  # readable ids
    after: str
    differences: list[Difference]
    turns: list[TurnPair]

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON: objects named as the fields here, money and scores as numbers."""
        return asdict(self)


def compare(before: Conversation, after: Conversation) -> Comparison:
    """What became different from one version to another; any two conversations will do."""
    return Comparison(
        before=before.conversation_id,
        after=after.conversation_id,
        differences=list(_differences(before, after)),
        turns=_aligned(_turns(before), _turns(after)),
    )


def _turns(conversation: Conversation) -> list[Turn]:
    return list(conversation.turns.order_by("position"))


# --- Facts


def _differences(before: Conversation, after: Conversation) -> Iterator[Difference]:
    yield from _in("conversation", _facts(before), _facts(after))
    yield from _in("parameters", before.parameters, after.parameters)
    yield from _in("quality", _scores(before), _scores(after))


def _in(group: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for label in dict.fromkeys([*before, *after]):
        one, other = _plain(before.get(label)), _plain(after.get(label))
        if one != other:
            yield Difference(group, label, one, other)


def _facts(conversation: Conversation) -> dict[str, Any]:
    facts = {label: getattr(conversation, name) for name, label in _FIELDS.items()}
    facts["Status"] = conversation.get_status_display()
    facts["Source"] = str(conversation.chunk) if conversation.chunk else None
    return facts


def _scores(conversation: Conversation) -> dict[str, Any]:
    """The score of each component, by its label."""
    components = conversation.quality_metrics.get("components", [])
    return {component["label"]: component["score"] for component in components}


def _plain(value: Any) -> Plain:
    """As JSON has it; an empty text is no value. What is nested is shown as JSON writes it."""
    if isinstance(value, Decimal):
        return float(value)
    if value is None or value == "":
        return None
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


# --- Turns


def _aligned(before: Sequence[Turn], after: Sequence[Turn]) -> list[TurnPair]:
    """The best alignment that keeps both orders (Needleman and Wunsch 1970): only turns of one role stand together."""
    likeness = _Likeness(before, after)
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in range(len(before) - 1, -1, -1):
        for j in range(len(after) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + likeness(i, j))
    pairs, i, j = [], 0, 0
    while i < len(before) or j < len(after):
        together = i < len(before) and j < len(after) and likeness(i, j)
        if together and best[i][j] == best[i + 1][j + 1] + together:
            pairs.append(_pair(before[i], after[j]))
            i, j = i + 1, j + 1
        elif j == len(after) or (i < len(before) and best[i][j] == best[i + 1][j]):
            pairs.append(TurnPair("removed", before[i].role, before[i].position, None, before[i].content, None))
            i += 1
        else:
            pairs.append(TurnPair("added", after[j].role, None, after[j].position, None, after[j].content))
            j += 1
    return pairs


class _Likeness:
    """How well two turns match: 0 for different roles, 3 for the same text, else 1 to 2 by the words they share."""

    def __init__(self, before: Sequence[Turn], after: Sequence[Turn]) -> None:
        self._before, self._after = before, after
        self._words = [[Counter(_words(turn)) for turn in turns] for turns in (before, after)]
        self._known: dict[tuple[int, int], float] = {}

    def __call__(self, i: int, j: int) -> float:
        if (i, j) not in self._known:
            self._known[i, j] = self._of(i, j)
        return self._known[i, j]

    def _of(self, i: int, j: int) -> float:
        if self._before[i].role != self._after[j].role:
            return 0.0
        if self._before[i].content == self._after[j].content:
            return 3.0
        ours, theirs = self._words[0][i], self._words[1][j]
        return 1.0 + 2 * (ours & theirs).total() / ((ours.total() + theirs.total()) or 1)


def _words(turn: Turn) -> list[str]:
    return turn.content.lower().split()


def _pair(before: Turn, after: Turn) -> TurnPair:
    same = before.content == after.content
    return TurnPair(
        change="equal" if same else "changed",
        role=before.role,
        before_position=before.position,
        after_position=after.position,
        before=before.content,
        after=after.content,
        segments=[] if same else word_difference(before.content, after.content),
    )


def word_difference(before: str, after: str) -> list[Segment]:
    """Which words were removed, added and kept, in the order of reading; all of them, where hardly any was kept.

    Also all of them where the same words occur so often in both that telling would take minutes.
    """
    ours, theirs = _WORD.findall(before), _WORD.findall(after)
    segments = list(_segments(ours, theirs)) if _matches(ours, theirs) <= _MOST_MATCHES else []
    kept = sum(len(segment.text) for segment in segments if segment.change == "equal")
    if 2 * kept >= _REWRITTEN * (len(before) + len(after)):
        return segments
    return [segment for segment in (Segment("removed", before), Segment("added", after)) if segment.text]


def _matches(ours: list[str], theirs: list[str]) -> int:
    """What telling them apart takes: how many pairs of the same word there are."""
    often = Counter(theirs)
    return sum(times * often[word] for word, times in Counter(ours).items())


def _segments(ours: list[str], theirs: list[str]) -> Iterator[Segment]:
    at, their_at = 0, 0
    for start, their_start, length in _kept(ours, theirs):
        if start > at:
            yield Segment("removed", "".join(ours[at:start]))
        if their_start > their_at:
            yield Segment("added", "".join(theirs[their_at:their_start]))
        if length:
            yield Segment("equal", "".join(ours[start : start + length]))
        at, their_at = start + length, their_start + length


def _kept(ours: list[str], theirs: list[str]) -> Iterator[tuple[int, int, int]]:
    """Where runs of words begin that both have, and how long they are; at last the ends of both, with length 0."""
    for start, their_start, length in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
        first = start == their_start == 0
        last = (start + length, their_start + length) == (len(ours), len(theirs))
        if length > _ISLAND or first or last:
            yield start, their_start, length
