"""Required elements: which are still missing, and a natural sentence for each of them."""

import re

from generation.simulated.phrases import bank, words

_DETERMINED = re.compile(rf"(?:{'|'.join(words('determiners'))}) ", re.IGNORECASE)
_CLAUSE = re.compile(
    r"(?:i|you|we|it|there|this|that|nobody|no one|nothing)(?:'\w+| \w+(?: |$))|"
    r"(?:let's|don't|do not|never|always) ",
    re.IGNORECASE,
)
_NOUNS = re.compile(rf"\b(?:{'|'.join(words('nouns'))})$", re.IGNORECASE)


def alternatives(element: str) -> list[str]:
    """The alternatives of a required element, as written."""
    return [part.strip() for part in element.split("|") if part.strip()]


def is_said(phrase: str, text: str) -> bool:
    """True when `phrase` occurs in `text` as whole words, in any case."""
    wanted, said = phrase.lower(), text.lower()
    # The plain search first: it is a hundred times faster, and mostly the answer is no.
    return wanted in said and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", said) is not None


def best_alternative(element: str) -> str:
    """The alternative that is easiest to say: one with sentences of its own, else a noun, else the first."""
    choices = alternatives(element)
    known = [choice for choice in choices if choice.lower() in bank("required")["known"]]
    nouns = [choice for choice in choices if _NOUNS.search(choice)]
    return [*known, *nouns, *choices][0]


def sentences_for(phrase: str) -> tuple[str, ...]:
    """Phrases with the slot `{element}` into which `phrase` fits as it is written."""
    known = bank("required")["known"].get(phrase.lower())
    return tuple(known) if known else tuple(bank("required")["frames"][_kind(phrase)])


def _kind(phrase: str) -> str:
    if _CLAUSE.match(phrase) and len(phrase.split()) >= 3:
        return "clause"
    if phrase[:1].isupper() or not phrase[:1].isalpha():
        return "label"
    if re.search(r"\bsteps?$", phrase) and not _DETERMINED.match(phrase):
        return "step"
    if _NOUNS.search(phrase):
        return "determined" if _DETERMINED.match(phrase) else "noun"
    return "label"
