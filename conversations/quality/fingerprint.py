"""Near duplicates: MinHash signatures of texts and the keys under which similar ones are found.

Two texts are as similar as the share of three-word phrases that they have in common (Jaccard similarity s,
0–1). A signature of 126 numbers estimates it with a standard error of √(s(1-s)/126): 0.045 at s = 0.5.

To find similar texts without comparing all, a signature is cut into b = 42 bands of r = 3 numbers, and texts
that agree in one whole band are candidates. A pair is found with probability 1-(1-s^r)^b:

    s            0.8    0.5    0.4    0.3    0.1    0.02
    probability  1.000  0.996  0.938  0.683  0.041  0.0003

Pairs from 0.5 on are hardly ever missed, and unrelated texts (below 0.02) hardly ever cost a look.
Source: Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", chapter 3.
"""

import struct
from hashlib import blake2b

from rensa import RMinHash

from conversations.quality.words import words_of

BANDS = 42
ROWS = 3
PERMUTATIONS = BANDS * ROWS
_SHINGLE_WORDS = 3
_SEED = 20_261_101  # Any number will do; stored signatures are comparable only as long as it stays.
_SIGN_BIT = 1 << 31
_BAND = struct.Struct(f"<H{ROWS}i")
_KEY = struct.Struct("<q")


def signature(text: str) -> tuple[int, ...]:
    """The MinHash signature of `text`: 126 signed 32-bit numbers (PostgreSQL `integer`).

    A text without words has none. Sign what was said alone: roles and titles would make all texts alike.
    """
    words = words_of(text)
    if not words:
        return ()
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
    minhash.update(_shingles(words))
    return tuple(value - _SIGN_BIT for value in minhash.digest())


def bands(signature: tuple[int, ...]) -> tuple[int, ...]:
    """The 42 keys under which a signature is found: signed 64-bit numbers (PostgreSQL `bigint`); () for ().

    Each key hashes its band's number too, so that keys of different bands do not meet in one array,
    and is the same in every process and on every machine.
    """
    starts = range(0, len(signature), ROWS)
    return tuple(_band_key(number, signature[start : start + ROWS]) for number, start in enumerate(starts))


def _shingles(words: tuple[str, ...]) -> list[str]:
    """Phrases of three words; a shorter text is one phrase."""
    count = max(1, len(words) - _SHINGLE_WORDS + 1)
    return [" ".join(words[start : start + _SHINGLE_WORDS]) for start in range(count)]


def _band_key(number: int, rows: tuple[int, ...]) -> int:
    (key,) = _KEY.unpack(blake2b(_BAND.pack(number, *rows), digest_size=_KEY.size).digest())
    return int(key)
