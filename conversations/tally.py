"""How many conversations stand where, and which scores they have: all of it in one pass of one index."""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet

from conversations.choices import NOT_LIVE
from conversations.models import Conversation

BEST = 10  # the best score shares the last range
RANGES = tuple(range(BEST))  # each from its number up to the next


@dataclass(frozen=True)
class Tally:
    by_status: Counter[str] = field(default_factory=Counter)
    tenths: Counter[int] = field(default_factory=Counter)  # scores of those neither archived nor rejected

    @property
    def conversations(self) -> int:
        return sum(self.by_status.values())

    @property
    def scored(self) -> int:
        return sum(self.tenths.values())

    @property
    def average(self) -> float | None:
        """One decimal; None without a score."""
        total = sum(tenths * number for tenths, number in self.tenths.items())
        return round(total / self.scored / 10, 1) if self.scored else None

    @property
    def by_range(self) -> list[int]:
        """How many scores lie in each of `RANGES`."""
        found = Counter[int]()
        for tenths, number in self.tenths.items():
            found[min(tenths // 10, RANGES[-1])] += number
        return [found[each] for each in RANGES]


def tally(conversations: QuerySet[Conversation]) -> Tally:
    """Count the conversations, which are all of a workspace, or of every one."""
    found = Tally()
    # Rows are counted and not their keys, which the index of status and score does not hold.
    rows = conversations.order_by().values_list("status", "quality_tenths").annotate(number=Count("*"))
    for status, tenths, number in rows:
        found.by_status[status] += number
        if tenths is not None and status not in NOT_LIVE:
            found.tenths[tenths] += number
    return found
