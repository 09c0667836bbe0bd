"""Passages of a source that can be said on their own: one or two whole sentences."""

import re

from generation.simulated.phrases import words

LONGEST_SOURCE = 20_000  # characters; a chunk has far fewer
WORDS = range(7, 42)  # of one sentence; shorter ones say little, longer ones are not spoken
SHORT_PASSAGE = 14  # words; below, the next sentence of the paragraph comes along
LONGEST_PASSAGE = 50  # words, for two sentences
_SENTENCE_END = re.compile(r"(?<=[a-z0-9%)\]][.!?]) +(?=[A-Z\"“0-9$€£])|(?<=[.!?][\"”]) +(?=[A-Z])")
_MARKUP = re.compile(r"^(?:#|<!--|\||```|>|-{3}|={3}|\[\^)")
_BULLET = re.compile(r"^(?:[-*•–]|\d{1,2}[.)])\s+")
_EMPHASIS = re.compile(r"\*{1,3}|__|`")
# A sentence that begins so leans on the one before it.
_LEANING = re.compile(
    r"^(?:it|its|they|them|their|he|she|his|her|this|these|that|those|such|here|so|but|and|or|then|however|"
    r"therefore|thus|hence|also|yet|still|instead|otherwise|another|both|neither|either|often|for example|"
    r"for instance|in other words|by contrast|as a result|"
    r"(?:if|when) (?:it|they|that|this|so|not)|"
    r"the (?:same|other|others|latter|former|second|third|rest|first)\b)\b",
    re.IGNORECASE,
)
# What belongs on a page and not in a conversation.
_UNSPOKEN_MARKS = (*"@©{}<>|[]", "http:", "https:", "www.", "as follows", "see also")
_UNSPOKEN_WORDS = frozenset(words("unspoken"))
_JOINING = frozenset(words("joining"))


def passages(text: str) -> tuple[str, ...]:
    """Passages in the source's order; none overlaps another."""
    found: list[str] = []
    for paragraph in _paragraphs(text[:LONGEST_SOURCE]):
        found.extend(_of_paragraph(_SENTENCE_END.split(paragraph)))
    return tuple(dict.fromkeys(found))


def quotable(passage: str) -> str:
    """A few words of the passage that one might repeat, or ""."""
    pieces = (piece.strip(' ."?!') for piece in re.split(r"[,;:—]| – ", passage))
    good = [piece for piece in pieces if 3 <= len(piece.split()) <= 7 and _is_quotable(piece)]
    return min(good, key=len, default="")


def _is_quotable(piece: str) -> bool:
    return '"' not in piece and piece.split()[0].lower() not in _JOINING


def _paragraphs(text: str) -> list[str]:
    """Lines of prose joined to paragraphs; headings, tables and comments are left out."""
    blocks: list[str] = [""]
    for line in map(str.strip, text.splitlines()):
        if not line or _MARKUP.match(line):
            blocks.append("")
        elif _BULLET.match(line):
            blocks.append(_BULLET.sub("", line))
        else:
            blocks[-1] = f"{blocks[-1]} {line}".strip()
    return [" ".join(_EMPHASIS.sub("", block).split()) for block in blocks if block]


def _of_paragraph(sentences: list[str]) -> list[str]:
    found: list[str] = []
    position = 0
    while position < len(sentences):
        passage = sentences[position]
        position += 1
        if not _can_stand(passage):
            continue
        following = sentences[position] if position < len(sentences) else ""
        if len(passage.split()) < SHORT_PASSAGE and _can_follow(passage, following):
            passage = f"{passage} {following}"
            position += 1
        if len(passage.split()) in range(WORDS.start, LONGEST_PASSAGE):
            found.append(passage)
    return found


def _can_stand(sentence: str) -> bool:
    count = len(sentence.split())
    return (
        3 <= count < WORDS.stop
        and sentence[0].isalnum()
        and not sentence[0].islower()
        and sentence.endswith(".")
        and not _LEANING.match(sentence)
        and _is_spoken(sentence)
    )


def _can_follow(passage: str, sentence: str) -> bool:
    count = len(passage.split()) + len(sentence.split())
    return sentence.endswith(".") and count < LONGEST_PASSAGE and _is_spoken(sentence)


def _is_spoken(sentence: str) -> bool:
    said = {word.strip(".,;:()") for word in sentence.lower().split()}
    return said.isdisjoint(_UNSPOKEN_WORDS) and not any(mark in sentence for mark in _UNSPOKEN_MARKS)
