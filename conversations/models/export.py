"""What was exported, by whom, when and how: a record that is only ever added to."""

import pgtrigger
from django.conf import settings
from django.db import models

from conversations.choices import ExportFormat, ExportStatus
from conversations.models.workspace import WorkspaceRow
from convgen.database.triggers import refuse
from convgen.models import one_of


class RecordStays(pgtrigger.Trigger):
    """Who took which data when stays on record. Only a workspace's deletion takes its records along."""

    name = "export_record_stays"
    when = pgtrigger.Before
    operation = pgtrigger.Update | pgtrigger.Delete
    func = refuse("'The record of an export is neither changed nor deleted.'", rule="export_record_stays")


class Export(WorkspaceRow):
    """The record of one export. Never changed afterwards."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    format = models.CharField(max_length=20, choices=ExportFormat)
    scope = models.CharField(max_length=40, help_text="Which conversations: approved, all, or a status.")
    filters = models.JSONField(default=dict, blank=True)
    conversation_count = models.PositiveIntegerField(default=0)
    skipped = models.JSONField(
        default=dict, blank=True, help_text="Readable ids of conversations that are no valid example, and why each."
    )
    byte_count = models.PositiveBigIntegerField(default=0)
    status = models.CharField(max_length=20, choices=ExportStatus)
    file = models.CharField(max_length=500, blank=True, help_text="The file's path on the machine that wrote it.")
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            one_of("format", ExportFormat, table="export"),
            one_of("status", ExportStatus, table="export"),
        ]
        triggers = [RecordStays()]
        indexes = [
            models.Index(fields=["workspace", "created_at"], name="export_history"),  # a workspace's history
        ]

    def __str__(self) -> str:
        return f"{self.format} {self.created_at:%Y-%m-%d %H:%M}"
