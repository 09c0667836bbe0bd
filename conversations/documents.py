"""Source documents: a text is taken in whole, and cut into the chunks that conversations are grounded in."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from conversations.models import Chunk, Document
from convgen.models import User

RULE = re.compile(r"^[^\S\n]*-{3,}[^\S\n]*$", re.MULTILINE)  # a line of dashes, between two chunks
NOTHING = "This text has nothing but dashes."
MOST_CHUNKS = 10_000  # of one text: they are made in one request
COMPLEXITIES = ("low", "medium", "high")


class SameText(Exception):
    """The workspace has this text already."""

    def __init__(self, document: Document) -> None:
        super().__init__(f"This text is here already, as “{document.title}”.")
        self.document = document


def pieces(text: str) -> list[str]:
    """The texts of a document's chunks: what lies between lines of three dashes or more."""
    return [piece.strip() for piece in RULE.split(text) if piece.strip()]


def check_text(text: str) -> None:
    """Raises ValidationError for a text without words, or with more chunks than a document may be taken in with."""
    number = len(pieces(text))
    if not number:
        raise ValidationError(NOTHING)
    if number > MOST_CHUNKS:
        raise ValidationError(f"This text has {number:,} chunks: {MOST_CHUNKS:,} at most. Take it in as several.")


def _content_hash(text: str) -> str:
    """SHA-256 of the text, in hexadecimal: by it the same text is found again."""
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_known(workspace_id: UUID, text: str) -> None:
    """Raises `SameText` when the workspace has the text already."""
    known = Document.objects.filter(workspace=workspace_id, content_hash=_content_hash(text)).first()
    if known:
        raise SameText(known)


@transaction.atomic
def take_in(document: Document, text: str, *, by: User | None) -> None:
    """Save a new document with the chunks of its text. Raises `SameText`, and ValidationError as `check_text` does."""
    check_text(text)
    refuse_known(document.workspace_id, text)
    document.content_hash = _content_hash(text)
    document.created_by = by
    document.save(force_insert=True)
    Chunk.objects.bulk_create(
        Chunk(workspace_id=document.workspace_id, document=document, position=position, text=piece)
        for position, piece in enumerate(pieces(text), start=1)
    )


def next_position(document: Document) -> int:
    """The place after a document's last chunk, for the transaction that calls: others wait for it."""
    Document.objects.select_for_update().get(pk=document.pk)
    last: int | None = document.chunks.aggregate(last=Max("position"))["last"]
    return (last or 0) + 1


def check_dimensions(dimensions: Mapping[str, Any]) -> None:
    """What a chunk is about, in the shapes that planning and scoring read. Raises ValidationError with what is not."""
    wrong = [sentence for name, value in dimensions.items() if (sentence := _objection(name, value))]
    if wrong:
        raise ValidationError(wrong)


def _objection(name: str, value: Any) -> str:
    match name:
        case "labels" | "topics" if not _texts(value):
            return f'{name} must be a list of texts, as in ["one", "two"].'
        case "complexity" if value not in COMPLEXITIES:
            return f"complexity must be one of: {', '.join(COMPLEXITIES)}."
        case "confidence" if not _share(value):
            return "confidence must be a number from 0 to 1."
    return ""


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)


def _share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
