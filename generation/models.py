"""The log of every request to Claude, and the requests that the rate limit has granted."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from conversations.models import Conversation, PromptTemplate, Workspace, WorkspaceRow
from convgen.models import one_of
from convgen.tenancy.references import SameWorkspace


class LogStatus(models.TextChoices):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DISCARDED = "discarded", "Discarded: paid for, but somebody else had saved first"


class GenerationLog(WorkspaceRow):
    """One attempt: one request to Claude and its reply. Never changed afterwards.

    The table is divided by the month of `created_at` (`generation/retention.py`). PostgreSQL's key is therefore over
    the id and that date, and nothing can refer to a row. Here the id is the key: it is unique by how it is made.
    """

    # Keys without indexes of their own: those of `Meta` serve them.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False, related_name="+")
    # The attempts of one run are found by it.
    run_id = models.UUIDField(help_text="The same for all attempts at one conversation in one go.")
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="generation_logs",
    )
    template = models.ForeignKey(
        PromptTemplate,
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
    )
    # The first, the second … of its run.
    attempt = models.PositiveSmallIntegerField(default=1)
    model = models.CharField(max_length=100)
    # As it was sent to Claude, without the key.
    request = models.JSONField()
    # As it came back; nothing when none came.
    response = models.JSONField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=LogStatus)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    # What it would have cost more without the prompt cache. Below zero: writing to the cache costs more than it saves.
    cache_saving_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    price_assumed = models.BooleanField(default=False, help_text="The model's price was not known.")
    # From sending to the whole reply, in milliseconds.
    duration_ms = models.PositiveIntegerField(default=0)
    # What went wrong, as one of our error names.
    error_type = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    request_id = models.CharField(max_length=100, blank=True, help_text="Anthropic's id of the request.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            one_of("status", LogStatus, table="generation_log"),
            SameWorkspace("conversation", name="generation_log_conversation_same_workspace"),
            SameWorkspace("template", name="generation_log_template_same_workspace"),
            # The first attempt is the first.
            models.CheckConstraint(condition=Q(attempt__gte=1), name="generation_log_attempt_from_one"),
            # Nobody is paid for a request.
            models.CheckConstraint(condition=Q(cost_usd__gte=0), name="generation_log_cost_not_negative"),
        ]
        indexes = [
            # The list of all workspaces, newest first; what is too old in the default partition.
            models.Index(fields=["created_at"], name="generation_log_created_at"),
            # The list of a workspace, newest first; what goes with a workspace.
            models.Index(fields=["workspace", "created_at"], name="generation_log_newest"),
            # The list of a workspace by status. Most attempts succeed, and are found in the list of all.
            models.Index(
                fields=["workspace", "status", "created_at"],
                condition=~Q(status=LogStatus.SUCCEEDED.value),
                name="generation_log_failures",
            ),
            # The list of a workspace by error.
            models.Index(
                fields=["workspace", "error_type", "created_at"],
                condition=~Q(error_type=""),
                name="generation_log_errors",
            ),
            # The attempts at a conversation, which let go of it when it is deleted. Without the workspace, because
            # Django lets go by the conversation's id alone.
            models.Index(fields=["conversation"], name="generation_log_conversation"),
            # The same when a template is deleted.
            models.Index(fields=["template"], name="generation_log_template"),
            # Whether a run has succeeded.
            models.Index(fields=["run_id"], name="generation_log_run"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.status}"


class RateGrant(models.Model):
    """One request that the rate limit let through, kept while it counts against the window."""

    # A checksum of the address and the API key that share the limit.
    key = models.CharField(max_length=60)
    # When it may be sent: a moment to come, where the window is full.
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["key", "-at"], name="rate_grant_window")]  # the last N of a key

    def __str__(self) -> str:
        return f"{self.key} {self.at:%H:%M:%S}"
