"""The words of a conversation, for `conversations/search.py` alone."""

from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from pgtrigger import After, AnyChange, Delete, Insert, Referencing, Row, Statement, Trigger, Update

from conversations.models.workspace import Workspace
from convgen.tenancy import EVERY, current_scope


class DocumentsOfTheScope(models.Manager["SearchDocument"]):
    """Leaves out what the policy of reading does not: the documents of other workspaces."""

    def get_queryset(self) -> models.QuerySet["SearchDocument"]:
        documents, scope = super().get_queryset(), current_scope()
        if isinstance(scope, UUID):
            return documents.filter(workspace=scope)
        return documents if scope is EVERY else documents.none()


class SearchDocument(models.Model):
    """The words of a conversation and of its turns, written by triggers (`conversations/sql/search.sql`).

    PostgreSQL lets any workspace's rows be read, because it uses an index on words on no other condition
    (`docs/decisions/0007-search.md`). So nothing but a search reads them, and only to find conversations, whose own
    policy decides what is seen. Deleted with its conversation by PostgreSQL.
    """

    conversation = models.OneToOneField(
        "conversations.Conversation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="+",
    )
    workspace = models.ForeignKey(
        Workspace, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField(help_text="The conversation's, so that words can be read newest first.")
    document = SearchVectorField()

    objects = DocumentsOfTheScope()

    class Meta:
        indexes = [
            # Rare words; by workspace too, so that a small workspace does not pay for a large one.
            GinIndex(fields=["workspace", "document"], name="search_document_words"),
            # Frequent words: the newest conversations of a workspace, or of all, are read until there are enough.
            models.Index(fields=["workspace", "-created_at", "-conversation"], name="search_document_newest"),
            # The same for a superuser who looks at all workspaces.
            models.Index(fields=["-created_at", "-conversation"], name="search_document_newest_all"),
        ]

    def __str__(self) -> str:
        return f"words of {self.conversation_id}"


class WritesDocuments(Trigger):
    """Keeps the words by which conversations are found; a statement that writes many rows is answered once."""

    when = After


def _write(conversations: str) -> str:
    """A trigger's body: write the documents of the conversations whose ids the query gives."""
    return f"PERFORM conversations_write_search_documents(ARRAY({conversations})); RETURN NULL;"


WHEN_CONVERSATIONS_CHANGE = [
    WritesDocuments(
        name="search_document_of_new",
        level=Statement,
        operation=Insert,
        referencing=Referencing(new="added"),
        func=_write("SELECT id FROM added"),
    ),
    # A row at a time, because only that can be left out where no word has changed: most updates are of the status.
    WritesDocuments(
        name="search_document_of_changed",
        level=Row,
        operation=Update,
        condition=AnyChange("conversation_id", "title", "persona", "emotion", "topic", "created_at"),
        func=_write("SELECT NEW.id"),
    ),
]

WHEN_TURNS_CHANGE = [
    WritesDocuments(
        name="search_document_with_turns",
        level=Statement,
        operation=Insert,
        referencing=Referencing(new="added"),
        func=_write("SELECT DISTINCT conversation_id FROM added"),
    ),
    WritesDocuments(
        name="search_document_changed_turns",
        level=Statement,
        operation=Update,
        referencing=Referencing(old="before", new="after"),
        func=_write("SELECT conversation_id FROM before UNION SELECT conversation_id FROM after"),
    ),
    WritesDocuments(
        name="search_document_less_turns",
        level=Statement,
        operation=Delete,
        referencing=Referencing(old="removed"),
        func=_write("SELECT DISTINCT conversation_id FROM removed"),
    ),
]
