"""What counts as a word, for every rule and for the fingerprint alike."""

import re
import unicodedata
from collections import Counter

# Letters and digits, with apostrophes inside ("don't"). Chinese and Japanese are written without spaces:
# there each character counts as a word. The underscore is Markdown, not a letter.
_UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:'[^\W_{_UNSPACED}]+)*")

# English words that say nothing about a subject; those of one or two letters are skipped anyway.
_COMMON_WORDS = """
    about above across after again against all almost along already also although always among and
    another any anyone anything are around away back because been before being below best better between
    both but came can cannot come could did does doing done down during each either else enough even
    ever every everyone everything few first for from get gets getting give given gives goes going good
    got great had has have having help her here hers him his how however into its itself just keep know
    known last least less let like likely little long look lot made make makes making many may maybe
    might more most much must need needs never new next not nothing now off often once one only onto
    other others our ours out over own part people perhaps person put quite rather really right said
    same say says see seem seems should since some someone something sometimes soon still such sure take
    takes taking than that the their theirs them themselves then there these they thing things think
    this those though through time times together too toward towards two under until upon use used uses
    using usually very want wants was way ways well were what whatever when where whether which while
    who whole whom whose why will with within without work would year years yes yet you your yours
    yourself don't can't won't isn't aren't it's that's i'm i've you're
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def words_of(text: str) -> tuple[str, ...]:
    """The words of `text` in order, lower-cased, without punctuation."""
    return tuple(_WORD.findall(unicodedata.normalize("NFC", text).replace("’", "'").lower()))


def significant_words(text: str) -> tuple[str, ...]:
    """The distinct words of `text` that carry its subject, the most frequent first, then as they appear."""
    counts = Counter(word for word in words_of(text) if _is_significant(word))
    return tuple(word for word, _ in counts.most_common())


def share_mentioned(terms: tuple[str, ...], spoken: str) -> float:
    """Share (0–1) of `terms` of which some form begins a word of `spoken` (words separated by spaces).

    Endings are forgiven: "rebuilding" counts as mentioned where "rebuild" is said.
    """
    return sum(f" {_root(term)}" in spoken for term in terms) / len(terms)


def _is_significant(word: str) -> bool:
    return word not in _COMMON and (len(word) > 2 or not word.isascii())


def _root(word: str) -> str:
    return word[: max(4, len(word) - 3)]
