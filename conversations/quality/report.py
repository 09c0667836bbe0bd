"""What the quality engine says about one conversation."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

EMPTY_ADVICE = "Generate the conversation again, or write its turns."  # where nobody says anything
_TENTH = Decimal("0.1")
_NOISE_DIGITS = 9  # Binary fractions carry noise after this digit; 7.249999999999999 means 7.25.


def to_tenths(value: float | Decimal) -> Decimal:
    """A score with one decimal, halves upwards: the only place where scores are rounded."""
    return round(Decimal(value), _NOISE_DIGITS).quantize(_TENTH, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Flag:
    """A reason to look: a machine name and a sentence for people. A hard one always asks for review."""

    name: str
    message: str
    hard: bool = False

    def as_json(self) -> dict[str, str]:
        return {"name": self.name, "message": self.message}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says: score from 0 to 10, not yet rounded.

    `concern` is the name of the flag that is raised should the score be weak ("" for none);
    `defects` are raised whatever the score.
    """

    actual: str
    target: str
    score: float
    finding: str
    advice: str = ""
    concern: str = ""
    defects: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """One rule's part of the report: score 0.0–10.0 with one decimal, plain texts.

    `weight` is its share (0–1, three decimals) of the score; those of a report sum to 1.
    """

    name: str
    label: str
    actual: str
    target: str
    weight: float
    score: Decimal
    finding: str
    advice: str = ""
    flags: tuple[Flag, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Everything but the flags, which the report lists for all components together."""
        return {
            "name": self.name,
            "label": self.label,
            "actual": self.actual,
            "target": self.target,
            "weight": self.weight,
            "score": float(self.score),
            "finding": self.finding,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Score 0.0–10.0 with one decimal, its components, and how sure we are (0–1; high, medium or low)."""

    score: Decimal
    components: tuple[Component, ...]
    confidence: float
    confidence_level: str
    review_below: float

    @property
    def flags(self) -> tuple[str, ...]:
        """The names of all flags, in the order of the components."""
        return tuple(flag.name for flag in self._flags())

    @property
    def needs_review(self) -> bool:
        """True when the score is below `review_below` (6.0) or the conversation has a hard defect."""
        return self.score < Decimal(str(self.review_below)) or any(flag.hard for flag in self._flags())

    def as_json(self) -> dict[str, Any]:
        """What is stored with the conversation; plain numbers, texts, lists and dictionaries."""
        return {
            "score": float(self.score),
            "confidence": self.confidence,
            "confidence_level": self.confidence_level,
            "components": [component.as_json() for component in self.components],
            "flags": [flag.as_json() for flag in self._flags()],
        }

    def _flags(self) -> list[Flag]:
        return [flag for component in self.components for flag in component.flags]
