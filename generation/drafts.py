"""Loads drafts with all that their requests need."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from conversations.models import Chunk, Conversation, Document, PromptTemplate

Row = TypeVar("Row", bound=Model)


class Drafts:
    """Templates and sources are read once and kept: few of them serve many drafts.

    To be used for a while only, such as one slice: changes made meanwhile are not seen.
    """

    def __init__(self) -> None:
        self._templates: dict[UUID, PromptTemplate] = {}
        self._documents: dict[UUID, Document] = {}
        self._chunks: dict[UUID, Chunk] = {}

    def load(self, ids: Collection[UUID]) -> dict[UUID, Conversation]:
        """The drafts by id, with template, document and chunk (and its document) in place; missing ones left out."""
        drafts = Conversation.objects.in_bulk(ids)
        _complete(self._templates, PromptTemplate.objects.all(), {one.template_id for one in drafts.values()})
        _complete(self._documents, Document.objects.all(), {one.document_id for one in drafts.values()})
        chunks = Chunk.objects.select_related("document")
        _complete(self._chunks, chunks, {one.chunk_id for one in drafts.values()})
        for draft in drafts.values():
            draft.template = self._templates.get(draft.template_id) if draft.template_id else None
            draft.document = self._documents.get(draft.document_id) if draft.document_id else None
            draft.chunk = self._chunks.get(draft.chunk_id) if draft.chunk_id else None
        return drafts


def _complete(known: dict[UUID, Row], rows: QuerySet[Row], ids: set[UUID | None]) -> None:
    if missing := ids - known.keys() - {None}:
        known.update(rows.in_bulk(missing))
