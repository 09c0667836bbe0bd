"""Reads a Markdown document of the starter workspace: a title, and a chunk under each second-level heading.

A chunk's heading may be followed by what it is about:
`<!-- labels: a, b; complexity: low; confidence: 0.9; topics: One topic, Another -->`
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

LABELS = re.compile(r"<!--(.*?)-->\n?", re.DOTALL)


@dataclass(frozen=True)
class ReadDocument:
    title: str
    content_hash: str  # SHA-256 of the text, in hexadecimal
    chunks: list[tuple[str, dict[str, Any]]]  # text, and what it is about


def read_document(text: str) -> ReadDocument:
    """Read one document. Raises `ValueError` when it does not begin with `# Title`."""
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    if not head.startswith("# "):
        raise ValueError("A document begins with its title: # Title")
    title = head.removeprefix("# ").splitlines()[0].strip()
    content_hash = hashlib.sha256(text.encode()).hexdigest()
    return ReadDocument(title, content_hash, [_chunk(section) for section in sections])


def _chunk(section: str) -> tuple[str, dict[str, Any]]:
    about = LABELS.search(section)
    labels = _labels(about.group(1)) if about else {}
    heading, _, body = LABELS.sub("", section).partition("\n")
    return f"{heading.strip()}\n\n{body.strip()}", labels


def _labels(text: str) -> dict[str, Any]:
    pairs = dict(part.strip().split(": ", 1) for part in text.strip().split(";"))
    listed: dict[str, Any] = {name: _split(pairs[name]) for name in ("labels", "topics") if name in pairs}
    if "complexity" in pairs:
        listed["complexity"] = pairs["complexity"].strip()
    if "confidence" in pairs:
        listed["confidence"] = float(pairs["confidence"])
    return listed


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]
