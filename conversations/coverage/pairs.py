"""Two kinds of values against each other: how often each pair is used, and which the plan has and nobody uses yet."""

from collections.abc import Iterable
from dataclasses import dataclass

from conversations.coverage.standing import PlanStanding

SHADES = 5  # of a used pair, from the least to the most


@dataclass(frozen=True)
class Cell:
    first: str
    second: str
    conversations: int  # live ones
    planned: bool  # whether a template of the plan may have the pair
    shade: int  # 0: not used; 1 to `SHADES`

    @property
    def lacking(self) -> bool:
        """The plan wants it, and there is none."""
        return self.planned and not self.conversations


@dataclass(frozen=True)
class PairTable:
    """Rows of cells, each as long as `columns`."""

    columns: list[str]
    rows: list[tuple[str, list[Cell]]]

    @property
    def cells(self) -> list[Cell]:
        return [cell for _name, cells in self.rows for cell in cells]

    @property
    def lacking(self) -> int:
        return sum(cell.lacking for cell in self.cells)

    @property
    def planned(self) -> int:
        return sum(cell.planned for cell in self.cells)


def pair_table(plan: PlanStanding, first: str, second: str) -> PairTable:
    """Of two of the kinds persona, emotion and topic, in this order. Values nobody plans or uses are left out."""
    planned = {used.values for tier in plan.tiers for used in tier.pairs if _kinds(used.values) == (first, second)}
    seen = {group: number for group, number in plan.usage.seen.items() if _kinds(group) == (first, second) and number}
    most = max(seen.values(), default=0)
    rows, columns = (_names(place, planned | seen.keys()) for place in (0, 1))

    def cell(row: str, column: str) -> Cell:
        pair = ((first, row), (second, column))
        number = seen.get(pair, 0)
        return Cell(row, column, number, pair in planned, -(-SHADES * number // most) if number else 0)

    return PairTable(columns, [(row, [cell(row, column) for column in columns]) for row in rows])


def _kinds(group: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(kind for kind, _name in group)


def _names(place: int, pairs: Iterable[tuple[tuple[str, str], ...]]) -> list[str]:
    return sorted({pair[place][1] for pair in pairs}, key=str.casefold)
