"""Draws phrases for one conversation: none twice, all filled with the same particulars."""

import random
from collections.abc import Sequence
from typing import Any, TypeVar

from generation.simulated.details import SOMEONE
from generation.simulated.wording import choose, fill, without_contractions

Item = TypeVar("Item", str, dict[str, Any])


class Scribe:
    """`details` are the values of the slots; `formal` takes the contractions out of the adviser's phrases."""

    def __init__(self, rng: random.Random, details: dict[str, str], *, formal: bool = False) -> None:
        self.rng = rng
        self.details = details
        self.formal = formal
        self._drawn: set[int] = set()
        self._has_confidant = False

    def draw(self, items: Sequence[Item]) -> Item:
        """One of the items that has not been drawn before; when all have been, any of them."""
        fresh = [item for item in items if id(item) not in self._drawn]
        chosen = self.rng.choice(fresh or list(items))
        self._drawn.add(id(chosen))
        return chosen

    def user(self, phrases: Sequence[str], **values: str) -> str:
        """A phrase that the user says. From the first mention on, the adviser may speak of the confidant."""
        phrase = choose(self.draw(phrases), self.rng)
        self._has_confidant = self._has_confidant or "elper}" in phrase
        return self._fill(phrase, f"my {self.details['confidant']}", values)

    def adviser(self, phrases: Sequence[str], **values: str) -> str:
        """A phrase that the adviser says."""
        phrase = choose(self.draw(phrases), self.rng)
        confidant = f"your {self.details['confidant']}" if self._has_confidant else SOMEONE
        return self._fill(without_contractions(phrase) if self.formal else phrase, confidant, values)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def _fill(self, phrase: str, helper: str, values: dict[str, str]) -> str:
        return fill(phrase, {**self.details, "helper": helper, **values})
