"""A number that is not known yet: between which bounds it will probably lie, and where."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

Number = TypeVar("Number", float, Decimal)
T = TypeVar("T")


@dataclass(frozen=True)
class Span(Generic[Number]):
    """`low` and `high` hold it nine times in ten, as far as the past tells."""

    low: Number
    likely: Number
    high: Number

    def __add__(self, other: "Span[Number]") -> "Span[Number]":
        return Span(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def as_json(self) -> dict[str, float | str]:
        """USD as text, so that no digit is lost; seconds and tokens as numbers, to a tenth."""
        return {name: _plain(value) for name, value in vars(self).items()}


def around(middle: float, doubt: float) -> Span[float]:
    """As far to either side as the doubt goes, and never below zero."""
    return Span(max(0.0, middle - doubt), middle, middle + doubt)


def at_each_end(function: Callable[..., T], *spans: Span[float]) -> tuple[T, T, T]:
    """What the function makes of the low values, of the likely ones, and of the high ones."""
    return (
        function(*(span.low for span in spans)),
        function(*(span.likely for span in spans)),
        function(*(span.high for span in spans)),
    )


def _plain(value: float | Decimal) -> float | str:
    return str(value) if isinstance(value, Decimal) else round(value, 1)
