"""Where the bars of a chart lie. What is drawn is drawn by the templates, in SVG."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

HEIGHT = 120  # of the tallest column, in the units of the drawing
LEAST = 2  # what is more than nothing can be seen


@dataclass(frozen=True)
class Part:
    """A rectangle of a column; `kind` is its class in the style sheet."""

    kind: str
    y: int
    height: int


@dataclass(frozen=True)
class Column:
    label: str
    total: Decimal | int
    x: int
    middle: int
    top: int
    parts: list[Part]


@dataclass(frozen=True)
class Chart:
    columns: list[Column]
    width: int
    bar: int
    height: int = HEIGHT


def chart(columns: Iterable[tuple[str, Mapping[str, Decimal | int]]], *, slot: int, bar: int) -> Chart:
    """Columns from the left, each a label and its parts by kind, from the bottom up; each has `slot` units of room."""
    given = list(columns)
    totals = [sum(parts.values()) for _label, parts in given]
    most = max(totals, default=0)
    placed = []
    for place, (label, parts) in enumerate(given):
        left = place * slot + (slot - bar) // 2
        stacked = _stacked(parts, most)
        top = stacked[-1].y if stacked else HEIGHT
        placed.append(Column(label, totals[place], left, place * slot + slot // 2, top, stacked))
    return Chart(placed, len(given) * slot, bar)


def _stacked(parts: Mapping[str, Decimal | int], most: Decimal | int) -> list[Part]:
    stacked, bottom = [], HEIGHT
    for kind, value in parts.items():
        if value:
            height = max(LEAST, int(HEIGHT * value / most))
            bottom = max(0, bottom - height)
            stacked.append(Part(kind, bottom, height))
    return stacked
