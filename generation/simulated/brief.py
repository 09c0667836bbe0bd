"""The brief at the end of a prompt: flat tags, every one of them optional."""

import re
from dataclasses import dataclass

TEXT_TAGS = (
    "tier",
    "persona",
    "persona_description",
    "emotion",
    "emotion_description",
    "topic",
    "topic_description",
    "intent",
    "intent_description",
    "tone",
    "tone_description",
)
# Values come with "<" and ">" escaped, so one pass over the tags is enough, however long the prompt is.
_TAG = re.compile(rf"<(/?)({'|'.join(TEXT_TAGS)}|required_elements|source)(\s[^<>]*)?>", re.IGNORECASE)
_BULLET = re.compile(r"^\s*[-*•]\s+")


@dataclass(frozen=True)
class Brief:
    """What the prompt orders. Names and texts are plain; whatever the prompt does not say is empty.

    A required element holds alternatives separated by `|`, as the curator wrote it.
    """

    tier: str = ""
    persona: str = ""
    persona_description: str = ""
    emotion: str = ""
    emotion_description: str = ""
    topic: str = ""
    topic_description: str = ""
    intent: str = ""
    intent_description: str = ""
    tone: str = ""
    tone_description: str = ""
    required_elements: tuple[str, ...] = ()
    source_title: str = ""
    source_text: str = ""


def read_brief(prompt: str) -> Brief:
    """The last `<brief>` of a prompt; without one, whatever of its tags stands in the prompt."""
    texts, source_title = _tag_texts(_body(prompt))
    names = {tag: " ".join(_unescape(texts.get(tag, "")).split()) for tag in TEXT_TAGS}
    names["tier"] = names["tier"].lower().replace(" ", "_").replace("-", "_")
    return Brief(
        **names,
        required_elements=_elements(texts.get("required_elements", "")),
        source_title=" ".join(_unescape(source_title).split()),
        source_text=_unescape(texts.get("source", "")).strip(),
    )


def _body(prompt: str) -> str:
    start = prompt.rfind("<brief>")
    end = prompt.find("</brief>", start)
    return prompt[max(start, 0) : end if start >= 0 and end >= 0 else len(prompt)]


def _tag_texts(body: str) -> tuple[dict[str, str], str]:
    """The text after each opening tag up to the next known tag, and the source's title."""
    texts: dict[str, str] = {}
    title = ""
    marks = list(_TAG.finditer(body))
    ends = [*(mark.start() for mark in marks[1:]), len(body)]
    for mark, end in zip(marks, ends, strict=False):
        name = mark[2].lower()
        if mark[1] or name in texts:
            continue
        texts[name] = body[mark.end() : end]
        if name == "source":
            title = _title(mark[3] or "")
    return texts, title


def _title(attributes: str) -> str:
    """The value of `title="…"`, which may hold quotation marks itself."""
    _, found, value = attributes.partition('title="')
    return value.rstrip().removesuffix('"') if found else ""


def _elements(text: str) -> tuple[str, ...]:
    lines = (" ".join(_BULLET.sub("", line).split()) for line in _unescape(text).splitlines())
    return tuple(line for line in lines if line.replace("|", "").strip())


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">")
