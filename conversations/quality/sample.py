"""What the quality engine looks at: one conversation with the order it was made from."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from conversations.quality.thresholds import TIERS
from conversations.quality.words import words_of


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance; `role` is "user" or "assistant". Its words are found once, when it is made."""

    role: str
    content: str
    words: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", words_of(self.content))

    @property
    def is_empty(self) -> bool:
        return not self.content.strip()


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversation and what was ordered: tier, names of its dimensions, source text and required elements.

    `nearest_similarity` is the estimated Jaccard similarity (0–1) with the most similar other live
    conversation of the workspace, `nearest_id` the readable id of that conversation.
    `spoken` holds the words of all turns, `answered` those of the assistant: a line per turn, each word
    between spaces.

    Raises ValueError for a tier that does not exist and for a similarity outside 0–1.
    """

    turns: tuple[Turn, ...]
    tier: str
    persona: str = ""
    emotion: str = ""
    topic: str = ""
    source_text: str = ""
    required_elements: tuple[str, ...] = ()
    nearest_similarity: float = 0.0
    nearest_id: str = ""
    spoken: str = field(init=False, repr=False, compare=False)
    answered: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.tier not in TIERS:
            raise ValueError(f"Unknown tier {self.tier!r}: expected one of {', '.join(TIERS)}.")
        if not 0 <= self.nearest_similarity <= 1:
            raise ValueError(f"nearest_similarity must lie between 0 and 1, not {self.nearest_similarity}.")
        object.__setattr__(self, "spoken", _lines(self.turns))
        object.__setattr__(self, "answered", _lines(self.by_role("assistant")))

    def by_role(self, role: str) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.role == role)

    @property
    def is_empty(self) -> bool:
        """True when nobody says anything."""
        return all(turn.is_empty for turn in self.turns)


def _lines(turns: Iterable[Turn]) -> str:
    return "\n".join(f" {' '.join(turn.words)} " for turn in turns)
