"""The axes along which conversations vary."""

from django.db import models

from conversations.choices import DimensionKind
from conversations.models.workspace import WorkspaceRow
from convgen.models import one_of
from convgen.tenancy.references import referable


class Dimension(WorkspaceRow):
    """One value of one axis: a persona, an emotion, a topic, an intent or a tone."""

    kind = models.CharField(max_length=20, choices=DimensionKind)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, help_text="Claude reads it: two or three sentences.")
    attributes = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True, help_text="Inactive values are kept, but no longer planned with.")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["kind", "position", "name"]
        constraints = [
            referable("dimension"),
            # Conversations carry the name, and it must lead back to one description.
            models.UniqueConstraint(fields=["workspace", "kind", "name"], name="dimension_name_once"),
            one_of("kind", DimensionKind, table="dimension"),
        ]

    def __str__(self) -> str:
        return self.name
