"""The words of a conversation, for `conversations/search.py` alone."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from pgtrigger import After, AnyChange, Delete, Insert, Referencing, Row, Statement, Trigger, Update

from conversations.models.workspace import Workspace


class SearchDocument(models.Model):
    """The words of a conversation and of its turns, written by triggers (`conversations/sql/search.sql`).

    Any workspace's rows can be read, because PostgreSQL uses an index on words on no other condition
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

    class Meta:
        indexes = [
            # Rare words; by workspace too, so that a small workspace does not pay for a large one.
            GinIndex(fields=["workspace", "document"], name="search_document_words"),
            # Frequent words: the newest conversations of a workspace, or of all, are read until there are enough.
            models.Index(fields=["workspace", "-created_at", "-conversation"], name="search_document_newest"),
            models.Index(fields=["-created_at", "-conversation"], name="search_document_newest_all"),
        ]

    def __str__(self) -> str:
        return f"words of {self.conversation_id}"


def _write(conversations: str) -> str:
    """A trigger's body: write the documents of the conversations whose ids the query gives."""
    return f"PERFORM conversations_write_search_documents(ARRAY({conversations})); RETURN NULL;"


# Statements that write many rows are answered once.
WHEN_CONVERSATIONS_CHANGE = [
    Trigger(
        name="search_document_of_new",
        level=Statement,
        when=After,
        operation=Insert,
        referencing=Referencing(new="added"),
        func=_write("SELECT id FROM added"),
    ),
    # A row at a time, because only that can be left out where no word has changed: most updates are of the status.
    Trigger(
        name="search_document_of_changed",
        level=Row,
        when=After,
        operation=Update,
        condition=AnyChange("conversation_id", "title", "persona", "emotion", "topic", "created_at"),
        func=_write("SELECT NEW.id"),
    ),
]

WHEN_TURNS_CHANGE = [
    Trigger(
        name="search_document_with_turns",
        level=Statement,
        when=After,
        operation=Insert,
        referencing=Referencing(new="added"),
        func=_write("SELECT DISTINCT conversation_id FROM added"),
    ),
    Trigger(
        name="search_document_changed_turns",
        level=Statement,
        when=After,
        operation=Update,
        referencing=Referencing(old="before", new="after"),
        func=_write("SELECT conversation_id FROM before UNION SELECT conversation_id FROM after"),
    ),
    Trigger(
        name="search_document_less_turns",
        level=Statement,
        when=After,
        operation=Delete,
        referencing=Referencing(old="removed"),
        func=_write("SELECT DISTINCT conversation_id FROM removed"),
    ),
]
