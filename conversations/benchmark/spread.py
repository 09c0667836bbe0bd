"""How benchmark conversations vary: skewed, and the same for the same numbers.

They lie on a line from a year ago to now. What is old was approved or archived long ago; drafts are of the last days.
Of every kind of dimension the last value is *retired*: one conversation of a thousand has it, all of them among the
oldest tenth, so that a list which looks for it from the newest backwards looks for long. Simulated conversations are
the oldest hundredth.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID, uuid4

from conversations.benchmark.vocabulary import opening
from conversations.choices import DimensionKind, Status
from conversations.models import Chunk, PromptTemplate

YEAR = timedelta(days=365)
REPORTS = 16  # different quality reports, shared out among the conversations
AT_WORK = 20  # the newest conversations, which are being generated; of less than 2,000, one in a hundred

# Weights of the statuses among conversations older than these shares of the line.
STATUSES = (
    (0.50, {"approved": 60, "archived": 25, "rejected": 8, "pending_review": 3, "needs_revision": 2, "failed": 2}),
    (0.03, {"approved": 50, "generated": 20, "pending_review": 12, "rejected": 8, "needs_revision": 6, "failed": 4}),
    (0.00, {"draft": 60, "generated": 20, "pending_review": 15, "failed": 5}),
)
SCORES = {  # mean and standard deviation; the other statuses have no score and no turns
    "approved": (8.2, 0.8),
    "generated": (7.4, 0.7),
    "needs_revision": (6.6, 0.8),
    "pending_review": (4.6, 0.8),
    "rejected": (4.0, 1.2),
    "archived": (6.8, 1.5),
}
REVIEWED = ("approved", "rejected", "needs_revision", "archived")


class Staged(NamedTuple):
    """A conversation on its way: a row of the staging table."""

    number: int
    id: UUID
    title: str
    template_id: UUID
    tier: str
    persona: str
    emotion: str
    topic: str
    intent: str
    tone: str
    category: str
    status: str
    quality_score: float | None
    report: int | None
    turn_count: int
    simulated: bool
    parameters: str
    review_history: str
    slot: str
    claim: UUID | None
    chunk_id: UUID | None
    document_id: UUID | None
    created_at: datetime
    opening: str


@dataclass(frozen=True)
class Stock:
    """What conversations are made with, the most used first."""

    templates: Sequence[PromptTemplate]
    chunks: Sequence[Chunk]
    names: dict[str, Sequence[str]]  # of dimensions, by kind

    @cached_property
    def weights(self) -> list[float]:
        """Of templates: the first is used as often as the second and third together, and so on."""
        return list(accumulate(1 / rank for rank in range(1, len(self.templates) + 1)))


@dataclass(frozen=True)
class Line:
    """The conversations numbered from `first`, `total` of them, each with `turns` (fewest, most)."""

    first: int
    total: int
    turns: tuple[int, int]
    now: datetime

    def age(self, number: int) -> float:
        """From 1 (a year ago, the first) to 0 (now, the last)."""
        return 1 - (number - self.first + 1) / self.total

    def at_work(self, number: int) -> bool:
        return number >= self.first + self.total - min(AT_WORK, self.total // 100)


def rows(numbers: range, line: Line, stock: Stock) -> Iterator[Staged]:
    draw = random.Random(numbers.start)
    return (_row(number, line, stock, draw) for number in numbers)


def _row(number: int, line: Line, stock: Stock, draw: random.Random) -> Staged:
    age = line.age(number)
    template = draw.choices(stock.templates, cum_weights=stock.weights)[0]
    words = {kind: _name(names, age, draw) for kind, names in stock.names.items()}
    status = Status.GENERATING if line.at_work(number) else _status(age, draw)
    score = _score(status, draw)
    chunk = draw.choice(stock.chunks) if draw.random() < 0.8 else None
    created_at = line.now - age * YEAR
    return Staged(
        number=number,
        id=_key(created_at, draw),
        title=f"{words['topic']}, case {number}" if score is not None else "",
        template_id=template.pk,
        tier=template.tier,
        category=template.category,
        **words,
        status=status,
        quality_score=score,
        report=None if score is None else number % REPORTS,
        turn_count=0 if score is None else draw.randint(*line.turns),
        simulated=age > 0.99,
        parameters=json.dumps({"number_of_turns": line.turns[1], "city": f"Town {number % 500}"}),
        review_history=json.dumps(_history(status, score, created_at)),
        slot=f"{template.pk}:{number}",
        claim=uuid4() if status == Status.GENERATING else None,
        chunk_id=chunk.pk if chunk else None,
        document_id=chunk.document_id if chunk else None,
        created_at=created_at,
        opening=opening(number),
    )


def _name(names: Sequence[str], age: float, draw: random.Random) -> str:
    """A value, the first ones more often; the last one now and then, long ago."""
    *used, retired = names
    if age > 0.9 and draw.random() < 0.01:
        return retired
    return used[min(int(draw.expovariate(0.6)), len(used) - 1)]


def _status(age: float, draw: random.Random) -> str:
    weights = next(weights for older_than, weights in STATUSES if age >= older_than)
    return draw.choices(list(weights), weights=list(weights.values()))[0]


def _score(status: str, draw: random.Random) -> float | None:
    if status not in SCORES:
        return None
    return round(min(max(draw.gauss(*SCORES[status]), 0), 10), 1)


def _history(status: str, score: float | None, created_at: datetime) -> list[dict[str, object]]:
    if status not in REVIEWED:
        return []
    at = (created_at + timedelta(hours=20)).isoformat(timespec="seconds")
    return [{"at": at, "by": "reviewer", "by_id": "", "decision": status, "note": "", "score": score}]


def _key(at: datetime, draw: random.Random) -> UUID:
    """A UUIDv7 of that moment: keys are in the order of creation, as those of real rows."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | draw.getrandbits(12) << 64 | 0b10 << 62 | draw.getrandbits(62))


def kinds() -> tuple[str, ...]:
    return tuple(kind.value for kind in DimensionKind)
