"""Every number that the quality rules use, each with its unit, its meaning and its reason.

`docs/quality.md` lists them; the setting `QUALITY_THRESHOLDS` overrides them by name (`in_force.py` beside this).
"""

# ruff: noqa: RUF009  (`_threshold` makes a field of the dataclass, as `field` does)

from dataclasses import dataclass, field
from typing import Any, NamedTuple

TIERS = ("template", "scenario", "edge_case")  # the values of conversations.choices.Tier, which needs Django


class Range(NamedTuple):
    """Two bounds, both included. In the setting it is a list of two numbers."""

    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.lowest:g}–{self.highest:g}"


class Kind(NamedTuple):
    """What sort of number a threshold is: its unit, and between which values it makes sense."""

    unit: str
    low: float
    high: float
    whole: bool = False


POINTS = Kind("points", 0, 10)
SHARE = Kind("share", 0, 1)
TIMES = Kind("times", 1, 100)
TURNS = Kind("turns", 0, 1_000, whole=True)
WORDS = Kind("words", 1, 100_000, whole=True)


def _threshold(default: Any, kind: Kind, meaning: str) -> Any:
    return field(default=default, metadata={"kind": kind, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores run from 0.0 to 10.0, shares and similarities from 0 to 1; lengths are words per turn, on average."""

    # Requirement FR4.2.2.
    review_below: float = _threshold(6.0, POINTS, "a conversation with a lower score waits for a reviewer")
    # A component this weak is worth a line of its own in the review queue.
    flag_below: float = _threshold(5.0, POINTS, "a component with a lower score raises its flag")

    # What the rules weigh; together 1. What the curator required by name weighs most. A near duplicate goes to review
    # whatever its score, so that uniqueness needs no more than a tenth.
    turn_count_weight: float = _threshold(0.20, SHARE, "weight of the turn count")
    length_weight: float = _threshold(0.15, SHARE, "weight of the length")
    structure_weight: float = _threshold(0.15, SHARE, "weight of the structure")
    required_elements_weight: float = _threshold(0.25, SHARE, "weight of the required elements, where there are any")
    confidence_weight: float = _threshold(0.15, SHARE, "weight of the confidence")
    uniqueness_weight: float = _threshold(0.10, SHARE, "weight of the uniqueness")

    # 8 to 16 turns are long enough to show a real exchange and short enough to fit the context of common fine-tunes.
    turns_target: Range = _threshold(Range(8, 16), TURNS, "so many turns score 10")
    turns_half: Range = _threshold(Range(4, 20), TURNS, "at both ends, 5 points are left")
    turns_nothing: Range = _threshold(Range(0, 24), TURNS, "at both ends, nothing is left")

    # Harder tiers need longer answers: an edge case has more to weigh than a common question.
    assistant_words_template: Range = _threshold(Range(40, 150), WORDS, "the assistant's length in tier template")
    assistant_words_scenario: Range = _threshold(Range(50, 180), WORDS, "the assistant's length in tier scenario")
    assistant_words_edge_case: Range = _threshold(Range(60, 220), WORDS, "the assistant's length in tier edge_case")
    # People ask in a sentence or a paragraph, whatever the tier.
    user_words: Range = _threshold(Range(8, 100), WORDS, "the user's length, in every tier")
    # At a fifth of the lower bound nothing is left of an answer; three times the upper bound reads as an essay.
    short_nothing_share: float = _threshold(0.2, SHARE, "at this share of the lower bound, a length scores 0")
    long_nothing_times: float = _threshold(3.0, TIMES, "at so many times the upper bound, a length scores 0")
    # The fine-tune learns from the assistant's side, so its length decides more.
    assistant_length_share: float = _threshold(0.75, SHARE, "the assistant's part of the length score")

    # Points of a well-formed dialogue, ten in all. Chat formats refuse speakers who do not alternate.
    user_first_points: float = _threshold(2.5, POINTS, "the user opens the conversation")
    assistant_last_points: float = _threshold(2.5, POINTS, "the assistant has the last word")
    alternation_points: float = _threshold(3.0, POINTS, "user and assistant take turns")
    nothing_empty_points: float = _threshold(2.0, POINTS, "no turn is empty")
    # An empty turn makes the conversation unusable, however tidy the rest is.
    empty_turn_cap: float = _threshold(2.0, POINTS, "the most that structure scores with an empty turn")

    # How much each signal of confidence counts. One that does not apply (no topic, no source…) leaves the sum.
    topic_signal: float = _threshold(0.20, SHARE, "it is about its topic")
    elements_signal: float = _threshold(0.25, SHARE, "it holds the required elements")
    source_signal: float = _threshold(0.15, SHARE, "it draws on its source text")
    leftovers_signal: float = _threshold(0.15, SHARE, "no placeholder or tag was left in the text")
    machine_signal: float = _threshold(0.10, SHARE, "the assistant does not speak about itself as a machine")
    # A missing full stop at the end is how a reply that was cut off looks.
    finished_signal: float = _threshold(0.10, SHARE, "the last turn ends as a sentence does")
    repeated_signal: float = _threshold(0.05, SHARE, "no turn repeats an earlier one word for word")
    # Half of a topic's words will do: people paraphrase the rest.
    topic_enough: float = _threshold(0.5, SHARE, "at this share of the topic's words, its signal is full")
    # A dialogue uses part of its source: a quarter of the terms of a page or two shows that it was read.
    source_terms: int = _threshold(30, Kind("terms", 1, 1_000, whole=True), "terms of the source that are looked for")
    source_enough: float = _threshold(0.25, SHARE, "at this share of those terms, the source's signal is full")
    # "Thank you!" may be said twice.
    repeat_words: int = _threshold(4, WORDS, "a turn with fewer words may be repeated")
    high_confidence_above: float = _threshold(0.8, SHARE, "a higher confidence is called high")
    low_confidence_below: float = _threshold(0.5, SHARE, "a lower confidence is called low")

    # Conversations of one topic share up to a third of their phrases by nature.
    similarity: Range = _threshold(
        Range(0.3, 0.9), SHARE, "uniqueness scores 10 up to the lower bound, 0 from the upper"
    )
    # From here on two conversations teach a model the same thing twice.
    near_duplicate_from: float = _threshold(0.8, SHARE, "a conversation so similar to another is a near duplicate")

    def weight_of(self, rule: str) -> float:
        """The weight (0–1) of the rule with this name."""
        weight: float = getattr(self, f"{rule}_weight")
        return weight

    def assistant_words(self, tier: str) -> Range:
        words: Range = getattr(self, f"assistant_words_{tier}")
        return words


DEFAULTS = Thresholds()
