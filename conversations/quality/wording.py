"""What gives a raw draft away: leftovers of the prompt, a machine that talks of itself, an end cut off."""

import re

_BLANKS = "name|amount|date|company|city|country|number|address|email|phone|placeholder|topic|persona"
_DIMENSIONS = "persona|emotion|topic|intent|tone"
_TAGS = f"brief|tier|{_DIMENSIONS}|source|required_elements|example|turns?|user|assistant|system"

_LEFTOVER = re.compile(
    rf"""
      \{{[{{%][^{{}}\n]{{0,80}}[%}}]?\}}? | lorem\ ipsum       # {{{{persona}}}}, {{% if … %}}
    | \[\s*(?:insert|your)\b[^\[\]\n]{{0,80}}\](?!\()          # [insert amount], but no Markdown link
    | \[\s*(?:[\w'’]+\s+){{0,3}}(?:{_BLANKS})\s*\](?!\()      # [Name], [company name]
    | \{{(?:{_BLANKS}|{_DIMENSIONS})\}}                         # {{name}}
    | </?(?:{_TAGS})(?:_description)?(?:\s[^<>]{{0,200}})?>      # tags of the brief
    | ^(?:user|assistant|human)[ ]?:                             # speakers' names of a transcript
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_MACHINE = re.compile(
    r"\b(?:as|being|i am|i['’]m)(?: just| only)? an? "
    r"(?:ai|artificial intelligence|chatbot|virtual assistant)\b|\blanguage model\b",
    re.IGNORECASE,
)
# The end of a sentence, then at most closing quotes, brackets, Markdown or an emoji.
_FINISHED = re.compile(r"[.!?…。！？؟।][^\w,;:–—-]*$")
_TAIL = 60  # Characters; enough for the last mark and whatever closes after it.


def leftover_in(text: str) -> str:
    """The first placeholder, filler or tag that was left in `text`, or ""."""
    found = _LEFTOVER.search(text)
    return found.group().strip() if found else ""


def machine_talk_in(text: str) -> str:
    """The first phrase in which the speaker presents itself as a machine, or ""."""
    found = _MACHINE.search(text)
    return found.group() if found else ""


def is_finished(text: str) -> bool:
    """True when `text` ends as a sentence ends."""
    return _FINISHED.search(text[-_TAIL:]) is not None
