"""Every number that the quality rules use, each with its reason.

Scores run from 0.0 to 10.0, shares and similarities from 0 to 1, lengths are counted in words.
"""

from typing import NamedTuple

REVIEW_BELOW = 6.0  # A conversation under this score waits for a reviewer (requirement FR4.2.2).
FLAG_BELOW = 5.0  # A component this weak is worth a line of its own in the review queue.

# Turn count: (turns, score). 8 to 16 turns are long enough to show a real exchange and short enough to fit
# the context of common fine-tunes. At 4 and at 20 half of the points are gone, and it falls on at that pace.
TURN_TARGET = (8, 16)
TURN_SCALE = ((0.0, 0.0), (4.0, 5.0), (8.0, 10.0), (16.0, 10.0), (20.0, 5.0), (24.0, 0.0))


class WordRange(NamedTuple):
    """Words per turn, averaged over one speaker's turns, both ends included."""

    lowest: int
    highest: int


# Harder tiers need longer answers: an edge case has more to weigh than a common question.
ASSISTANT_WORDS = {
    "template": WordRange(40, 150),
    "scenario": WordRange(50, 180),
    "edge_case": WordRange(60, 220),
}
USER_WORDS = WordRange(8, 100)  # People ask in a sentence or a paragraph, whatever the tier.
NOTHING_BELOW_SHARE = 0.2  # At a fifth of the lower bound nothing is left of an answer, nor of its score.
NOTHING_ABOVE_TIMES = 3  # Three times the upper bound reads as an essay, not as a turn.
ASSISTANT_LENGTH_SHARE = 0.75  # The fine-tune learns from the assistant's side, so its length decides more.

# Structure: points of a well-formed dialogue, ten in all. Chat formats refuse speakers who do not alternate.
USER_FIRST_POINTS = 2.5
ASSISTANT_LAST_POINTS = 2.5
ALTERNATION_POINTS = 3.0
NOTHING_EMPTY_POINTS = 2.0
EMPTY_TURN_CAP = 2.0  # An empty turn makes the conversation unusable, however tidy the rest is.
# Tidy roles cannot make up for an order that was not filled: with no required element, a tenth remains.
NO_ELEMENTS_SHARE = 0.1

# Confidence: how much each signal counts. A signal that does not apply (no topic, no source…) leaves the sum.
TOPIC_WEIGHT = 0.20  # Is it about what was ordered?
ELEMENTS_WEIGHT = 0.25  # Does it hold what the curator asked for by name?
SOURCE_WEIGHT = 0.15  # Does it draw on the source text?
LEFTOVERS_WEIGHT = 0.15  # One stray placeholder spoils a training example.
MACHINE_WEIGHT = 0.10
FINISHED_WEIGHT = 0.10  # A missing full stop at the end is how a reply that was cut off looks.
REPEATED_WEIGHT = 0.05
TOPIC_ENOUGH = 0.5  # Half of a topic's words will do: people paraphrase the rest.
SOURCE_TERMS = 30  # The most frequent terms of a page or two of text; more would be noise.
SOURCE_ENOUGH = 0.25  # A dialogue uses part of its source; a quarter of the terms shows that it was read.
REPEAT_AT_LEAST_WORDS = 4  # "Thank you!" may be said twice.
HIGH_CONFIDENCE_ABOVE = 0.8
LOW_CONFIDENCE_BELOW = 0.5

# Uniqueness: (similarity, score). Conversations of one topic share up to a third of their phrases by nature.
UNIQUE_UP_TO = 0.3
UNIQUENESS_SCALE = ((UNIQUE_UP_TO, 10.0), (0.9, 0.0))
NEAR_DUPLICATE_FROM = 0.8  # From here on two conversations teach a model the same thing twice.
