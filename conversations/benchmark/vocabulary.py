"""What benchmark conversations say: words of a made-up language, spread as those of a real one.

A few English words stand among them, each with a known frequency, for searches to be measured with:

| word | in |
| --- | --- |
| `money` | every conversation that has turns |
| `budget` | every 10th |
| `annuity` | every 1,000th |
| `case7`, `case1234567` … | one: each conversation has the word of its own number |
| `zeppelin` | none |
"""

import random
from itertools import accumulate

WORDS = 5000  # of which the first is said 5,000 times as often as the last (Zipf's law)
PHRASES = 65_536  # a power of two: a phrase is picked by some bits of a hash
WORDS_IN_PHRASE = 12  # a turn is two phrases

_BEGINNINGS = ("b", "br", "d", "f", "g", "k", "kl", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "z")
_MIDDLES = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
_ENDINGS = ("", "", "n", "r", "l", "s", "nt", "st")


def phrases() -> list[str]:
    """The phrases that turns are made of: always the same."""
    draw = random.Random("phrases")
    words = vocabulary()
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    said = draw.choices(words, cum_weights=weights, k=PHRASES * WORDS_IN_PHRASE)
    return [" ".join(said[start : start + WORDS_IN_PHRASE]) for start in range(0, len(said), WORDS_IN_PHRASE)]


def vocabulary() -> list[str]:
    """Different words of two to four syllables, the most frequent first."""
    draw = random.Random("vocabulary")
    words: dict[str, None] = {}
    while len(words) < WORDS:
        syllables = 2 + len(words) * 3 // WORDS  # frequent words are short
        words["".join(_syllable(draw) for _ in range(syllables))] = None
    return list(words)


def _syllable(draw: random.Random) -> str:
    return draw.choice(_BEGINNINGS) + draw.choice(_MIDDLES) + draw.choice(_ENDINGS)


def opening(number: int) -> str:
    """How the conversation with a number begins: with the words whose frequency is known."""
    words = ["money"]
    if number % 10 == 0:
        words.append("budget")
    if number % 1000 == 0:
        words.append("annuity")
    return " ".join([*words, f"case{number}"])
