"""The texts that conversations are grounded in."""

from django.conf import settings
from django.db import models

from conversations.models.workspace import WorkspaceRow
from convgen.models import at_least
from convgen.tenancy.references import SameWorkspace, referable


class Document(WorkspaceRow):
    """A source text."""

    title = models.CharField(max_length=300)
    source = models.CharField(max_length=500, blank=True, help_text="Where the text comes from: a file, an address.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the text, in hexadecimal.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title"]
        constraints = [
            referable("document"),
            # Importing the same text twice finds the first one.
            models.UniqueConstraint(fields=["workspace", "content_hash"], name="document_content_once"),
        ]

    def __str__(self) -> str:
        return self.title


class Chunk(WorkspaceRow):
    """A passage of a document that conversations are grounded in."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, db_constraint=False, related_name="chunks")
    position = models.PositiveIntegerField()
    text = models.TextField()
    dimensions = models.JSONField(
        default=dict,
        blank=True,
        help_text="What the text is about: labels, topics, complexity (low, medium, high), confidence (0–1).",
    )

    class Meta:
        ordering = ["document", "position"]
        constraints = [
            referable("chunk"),
            SameWorkspace("document", name="chunk_document_same_workspace"),
            # Reading a document in order; and no two chunks in one place.
            models.UniqueConstraint(fields=["document", "position"], name="chunk_position_once"),
            at_least("position", 1, table="chunk"),
        ]

    def __str__(self) -> str:
        return f"{self.document} #{self.position}"
