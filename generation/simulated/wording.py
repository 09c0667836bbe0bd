"""Small grammar: filling phrases, capitals, articles, contractions, numbers as words."""

import random
import re
from collections.abc import Mapping

from generation.simulated.phrases import words

NUMBERS = words("numbers")
TENS = words("tens")
COMMON_STARTS = frozenset(words("common_starts"))
NAMES = frozenset(words("names"))
SINGULAR_HEADS = frozenset(words("singular_heads"))
_DETERMINERS = frozenset(words("determiners"))
_PREPOSITION = re.compile(rf"\b(?:{'|'.join(words('prepositions'))})\b.*")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_AN = re.compile(r"(?!one\b|eu|us[eu]|uni(?![dmn]))[aeiou]|8|1[18]\b|hour|honest|heir", re.IGNORECASE)
_CONTRACTIONS = (
    (re.compile(r"\b(it|that|what|there|who|here)'s(?= (?:been|got|come)\b)", re.IGNORECASE), r"\1 has"),
    (re.compile(r"\b(it|that|what|there|who|here|she|he)'s\b", re.IGNORECASE), r"\1 is"),
    (re.compile(r"\b(L|l)et's\b"), r"\1et us"),
    (re.compile(r"\b(C|c)an't\b"), r"\1annot"),
    (re.compile(r"\b(W|w)on't\b"), r"\1ill not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"\bI'm\b"), "I am"),
    (re.compile(r"\b(I|you|we|they|it|that)'d\b", re.IGNORECASE), r"\1 would"),
)


def choose(phrase: str, rng: random.Random) -> str:
    """The phrase with one way taken at each `[one|another]`."""
    return _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), phrase)


def fill(phrase: str, details: Mapping[str, str]) -> str:
    """The phrase with its `{details}`, as sentences with capitals."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return details[name] if name in details else capital(details[name.lower()])

    return capital(_SLOT.sub(value, phrase))


def capital(text: str) -> str:
    """The text with a capital at its start, after an opening quotation mark if need be."""
    at = 1 if text[:1] == '"' else 0
    return text[:at] + text[at : at + 1].upper() + text[at + 1 :]


def small(text: str, evidence: str = "") -> str:
    """A sentence as it goes on after a colon: a small letter, where its first word is surely no name.

    `evidence` is text of the same subject: a word that occurs there in small letters is no name.
    """
    first = _first_word(text)
    if first.lower() in COMMON_STARTS or f" {first.lower()}" in evidence:
        return _with_small_start(text)
    return text


def in_mid_sentence(name: str, known: str) -> str:
    """A name as it stands in mid-sentence: "Buying a Home" -> "buying a home".

    Acronyms stay, and so do words that `known`, text of the same subject, writes with a capital where no
    sentence begins.
    """
    parts = name.split(" ")
    if any(word[:1].isupper() and not _is_name(word, known) for word in parts[1:] if len(word) > 3):
        return " ".join(started_small(word, known) for word in parts)
    return started_small(name, known)


def as_topic(name: str, known: str) -> str:
    """A topic's name after "about": in small letters, and with an article where it is one countable thing."""
    topic = in_mid_sentence(name, known)
    head = _PREPOSITION.sub("", topic.lower()).split()
    is_action = bool(head) and head[0].endswith("ing") and head[0] not in ("spending", "savings", "saving")
    if not head or head[-1] not in SINGULAR_HEADS or is_action or not _DETERMINERS.isdisjoint(head):
        return topic
    return with_article(topic)


def started_small(text: str, known: str) -> str:
    """The text with a small first letter, unless it begins with a name."""
    return text if _is_name(_first_word(text), known) else _with_small_start(text)


def _is_name(word: str, known: str) -> bool:
    bare = word.strip(".,;:()")
    if bare.lower() in NAMES:
        return True
    return bare[:1].isupper() and re.search(rf"[a-z,] {re.escape(bare)}\b", known) is not None


def _first_word(text: str) -> str:
    found = re.match(r"[\w-]*", text)
    return found[0] if found else ""


def _with_small_start(text: str) -> str:
    """A small first letter, unless the word is "I" or an acronym."""
    first = _first_word(text)
    if first == "I" or not (first[1:].islower() or first == "A"):
        return text
    return text[0].lower() + text[1:]


def with_article(noun: str) -> str:
    """ "an electrician", "a nurse"."""
    return f"{'an' if _AN.match(noun) else 'a'} {noun}"


def without_contractions(text: str) -> str:
    """ "I am" for "I'm", for a formal voice."""
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    return text


def number(value: int) -> str:
    """A whole number from 0 to 99 in words."""
    if value < len(NUMBERS):
        return NUMBERS[value]
    tens, ones = divmod(value, 10)
    return TENS[tens] + (f"-{NUMBERS[ones]}" if ones else "")


def word_count(text: str) -> int:
    return len(text.split())


def joined(lead: str, sentence: str, evidence: str = "") -> str:
    """A lead-in and what it leads to; after a colon or comma the sentence goes on in small letters."""
    return f"{lead} {small(sentence, evidence) if lead.endswith((':', ',')) else sentence}"
