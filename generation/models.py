"""The log of every request to Claude; and the rate limits, with what they have granted and who waits for them."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least

from conversations.models import Conversation, PromptTemplate, Workspace, WorkspaceRow
from convgen.models import one_of
from convgen.tenancy.references import SameWorkspace
from generation.priority import Priority


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
    # The first, the second … of its run; with economy delivery, of its batch item.
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
    message_batch_id = models.CharField(
        max_length=100, blank=True, help_text="Anthropic's id of the message batch it was in; empty: it was sent live."
    )
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
            # The list of a workspace, newest first; what goes with a workspace; and what a month cost, which it holds
            # itself: the rows are large.
            models.Index(
                fields=["workspace", "created_at"],
                include=["model", "status", "cost_usd"],
                name="generation_log_newest",
            ),
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
            # The same when a template is deleted; and its latest attempts, by which a forecast knows what the next
            # will take.
            models.Index(fields=["template", "created_at"], name="generation_log_template"),
            # Whether a run has succeeded.
            models.Index(fields=["run_id"], name="generation_log_run"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.status}"


def _smaller_of(kind: str) -> models.GeneratedField:
    return models.GeneratedField(
        expression=Least(F(f"configured_{kind}"), F(f"reported_{kind}")),  # PostgreSQL's LEAST passes nulls over
        output_field=models.PositiveIntegerField(null=True),
        db_persist=True,
    )


class RateState(models.Model):
    """The rate limits that one key shares, as they stand: what is allowed, what Claude said, and whether all must wait.

    One row for each address and API key, written by the functions in `generation/sql/rate_*.sql` alone.
    """

    # A checksum of the address and the API key that share the limits.
    key = models.CharField(primary_key=True, max_length=60)

    # The server's name, for people.
    address = models.CharField(max_length=200)

    # What the settings allow in a minute; nothing where they leave it to Claude.
    configured_requests = models.PositiveIntegerField()
    configured_input = models.PositiveIntegerField(null=True, blank=True)
    configured_output = models.PositiveIntegerField(null=True, blank=True)

    # What the replies' headers allow in a minute.
    reported_requests = models.PositiveIntegerField(null=True, blank=True)
    reported_input = models.PositiveIntegerField(null=True, blank=True)
    reported_output = models.PositiveIntegerField(null=True, blank=True)

    # The smaller of both: what holds.
    requests_limit = _smaller_of("requests")
    input_limit = _smaller_of("input")
    output_limit = _smaller_of("output")

    # What the newest report left over: others may use the same key.
    requests_remaining = models.PositiveIntegerField(null=True, blank=True)
    input_remaining = models.PositiveIntegerField(null=True, blank=True)
    output_remaining = models.PositiveIntegerField(null=True, blank=True)

    # When the request was granted whose reply was that report.
    reported_at = models.DateTimeField(null=True, blank=True)

    # Tokens that a request is expected to use: the most of late, a hundredth less with every reply that used fewer.
    usual_input = models.PositiveIntegerField(null=True, blank=True)
    usual_output = models.PositiveIntegerField(null=True, blank=True)

    # When Claude asked everybody to wait, and until when.
    blocked_at = models.DateTimeField(null=True, blank=True)
    blocked_until = models.DateTimeField(null=True, blank=True)

    # How often in a row that was.
    strikes = models.PositiveSmallIntegerField(default=0)

    # Requests let through since the row was made, and those of them that Claude answered with 429.
    granted = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "rate limit"

    def __str__(self) -> str:
        return f"{self.address}, key {self.key[:6]}"


class RateGrant(models.Model):
    """One request that the rate limit let through, kept while it counts against a window."""

    # A checksum of the address and the API key that share the limit.
    key = models.CharField(max_length=60)

    # When it may be sent: a moment to come, where the window is full. Its request and input tokens count from then.
    at = models.DateTimeField()

    # Reserved when it is granted, and what the reply used once that is known; 0 where tokens have no limit.
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)

    # How long its output counts: for a window after its reply, and while it may still come.
    output_until = models.DateTimeField()

    # Whether its reply, or its failure, is known here: told where tokens have a limit, and of each 429.
    settled = models.BooleanField(default=False)

    # Whether Claude answered 429.
    refused = models.BooleanField(default=False)

    class Meta:
        indexes = [
            # The last N of a key, and the tokens of a window.
            models.Index(fields=["key", "-at"], name="rate_grant_window"),
            # Output that counts still. Most grants have none where tokens have no limit.
            models.Index(fields=["key", "-output_until"], condition=Q(output_tokens__gt=0), name="rate_grant_output"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.at:%H:%M:%S}"


class WaitReason(models.TextChoices):
    """What a waiter waits for."""

    REQUESTS = "requests", "Request limit"
    INPUT = "input", "Input token limit"
    OUTPUT = "output", "Output token limit"
    BLOCKED = "blocked", "Claude asked everybody to wait"
    TURN = "turn", "Others go first"


class RateWaiter(models.Model):
    """Somebody who found no room under the rate limit and will ask again. A row goes when it is served or gives up.

    Its id is its place among waiters of the same priority. One that does not come back in time is passed over.
    """

    # A checksum of the address and the API key that share the limit.
    key = models.CharField(max_length=60)

    who = models.CharField(max_length=250, help_text="For people: a batch, or one conversation.")

    # Whose work it is: the name is not for members of other workspaces. No reference: waiters come and go.
    of_workspace = models.UUIDField(null=True, blank=True)

    # Higher ones go first.
    priority = models.CharField(max_length=10, choices=Priority)

    # Requests that it would send at once.
    wanted = models.PositiveIntegerField()

    # What it waits for.
    reason = models.CharField(max_length=10, choices=WaitReason)

    # Since when it waits.
    since = models.DateTimeField()

    # When its turn is likely to come.
    until = models.DateTimeField()

    # When it will ask again.
    asks_at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("priority", Priority, table="rate_waiter"),
            one_of("reason", WaitReason, table="rate_waiter"),
        ]
        indexes = [models.Index(fields=["key", "id"], name="rate_waiter_queue")]  # who is ahead

    def __str__(self) -> str:
        return self.who
