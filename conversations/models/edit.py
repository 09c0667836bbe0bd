"""What people changed by hand in conversations."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from conversations.models.conversation import Conversation
from conversations.models.workspace import WorkspaceRow
from convgen.tenancy.references import SameWorkspace


class Edit(WorkspaceRow):
    """One edit of a conversation by hand: who, when, what, and the turns that were replaced. Written once.

    What is left as generated has no edits, so that training text tells whether a person wrote in it.
    """

    # Its index is in Meta.
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="edits"
    )
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    edited_at = models.DateTimeField(auto_now_add=True)
    fields = ArrayField(models.CharField(max_length=40), help_text="What was changed, by names such as turns, title.")
    turns_before = models.JSONField(
        null=True, blank=True, help_text="The turns as they were, [{role, content}]; null where they stayed."
    )
    # 0.0 to 10.0, before and after.
    score_before = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)
    score_after = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)

    class Meta:
        ordering = ["-edited_at", "-id"]
        constraints = [SameWorkspace("conversation", name="edit_conversation_same_workspace")]
        indexes = [
            # The edits of a conversation, the latest first; deleting it.
            models.Index(fields=["conversation", "-edited_at"], name="edit_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"{', '.join(self.fields)} {self.edited_at:%Y-%m-%d %H:%M}"
