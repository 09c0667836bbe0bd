"""Small grammar: filling phrases, capitals, articles, contractions, numbers as words."""

import random
import re
from collections.abc import Mapping

NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
# A capital at the start of these words is only the start of a sentence.
COMMON_STARTS = frozenset(
    """
    a all an and any anyone anything applying are as ask at avoid be before begin build building buying by call
    carrying check checking choose choosing clients count dealing deciding each even every everyone everything
    few find first for from getting give have having here highest how if in is it its keep leave leaving let look
    losing make many more most moving my never no nobody not nothing of on once one open opening or our pay paying
    people planning preparing put refinancing saving send set several shared should smallest some someone
    something start starting staying stay take taking talk talking tell that the their then there these they
    think this those to try two under use using waiting we what when where whether which while who why with
    without working write you your
    """.split()
)
# Names that headings of any field may begin with.
NAMES = frozenset(
    """
    american asian australian british canadian chinese christmas christian dutch easter english european french
    german indian irish islamic italian japanese jewish latin medicaid medicare muslim python roth scottish
    social security spanish january february march april june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday
    """.split()
)
# Heads of a topic that want an article in a sentence: "a spending plan".
SINGULAR_HEADS = frozenset(
    """
    budget plan fund will mortgage loan review decision purchase change inheritance windfall layoff emergency
    policy claim contract divorce dispute diagnosis complaint application appointment routine schedule strategy
    """.split()
)
_DETERMINERS = frozenset("a an the my your our their his her this that any some no every each first".split())
_PREPOSITION = re.compile(r"\b(?:on|for|of|in|with|after|before|as|at|from|to|about|when|during|while|without)\b.*")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?:[aeioAEIO]|un(?!i)|8\b|8\d\b|11\b|18\b)\w*)")
_SENTENCE_START = re.compile(r"(?<=[.!?] )[a-z]")
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

    Acronyms stay, and so do words that `known`, text of the same subject, writes with a capital in mid-sentence.
    """
    words = name.split(" ")
    if any(word[:1].isupper() and not _is_name(word, known) for word in words[1:] if len(word) > 3):
        return " ".join(started_small(word, known) for word in words)
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
    return _ARTICLE.sub(r"\1n ", f"a {noun}", count=1)


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
