"""A batch job and its items."""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.utils import timezone

from batches.choices import (
    ENDED,
    OPEN,
    Delivery,
    ErrorHandling,
    ItemStatus,
    JobStatus,
    Priority,
    Selection,
    TierFilter,
)
from batches.counters import COUNT_ITEMS, CountersBeginAtZero, CountersFollowItems
from batches.economy.models import MessageBatch as MessageBatch
from batches.transitions import ITEM, JOB
from conversations.models import Conversation, Workspace, WorkspaceRow
from conversations.models.configuration import Configured, configuration_rules
from convgen.models import at_least, one_of
from convgen.states import Transitions
from convgen.tenancy.references import SameWorkspace, referable
from generation.retries import MOST_ATTEMPTS, RetryStrategy

# Nothing is left of a job that has ended; nothing is known of one that no slice has measured.
TIME_REMAINING = Case(
    When(status__in=[status.value for status in ENDED], then=Value(timedelta(0))),
    default=Func(
        F("seconds_per_item") * (F("total_items") - F("successful_items") - F("failed_items")),
        template="make_interval(secs => %(expressions)s)",
    ),
    output_field=models.DurationField(),
)


# Items that a message batch holds, and no worker.
AT_CLAUDE = Q(status=ItemStatus.PROCESSING, message_batch__isnull=False)


class BatchJob(Configured, WorkspaceRow):
    """A batch: what it takes, how it is run, and how far it is."""

    name = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=JobStatus, default=JobStatus.QUEUED)
    status_reason = models.TextField(blank=True, help_text="Why it was paused or stopped, in words.")
    priority = models.CharField(
        max_length=10, choices=Priority, default=Priority.NORMAL, help_text="Higher ones go first."
    )

    # Kept by triggers (batches/counters.py).
    total_items = models.PositiveIntegerField(default=0, editable=False)
    successful_items = models.PositiveIntegerField(default=0, editable=False)
    failed_items = models.PositiveIntegerField(default=0, editable=False)
    actual_cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=Decimal(0), editable=False)
    completed_items = models.GeneratedField(
        expression=F("successful_items") + F("failed_items"),
        output_field=models.PositiveIntegerField(help_text="Ended either way: successful and failed."),
        db_persist=True,
    )

    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    seconds_per_item = models.FloatField(
        null=True, blank=True, editable=False, help_text="Measured by the slice at work; pauses do not count."
    )
    estimated_time_remaining = models.GeneratedField(
        expression=TIME_REMAINING, output_field=models.DurationField(null=True), db_persist=True
    )

    tier = models.CharField(max_length=20, choices=TierFilter, default=TierFilter.ALL)
    selection = models.CharField(max_length=20, choices=Selection, default=Selection.GAPS)
    # The placeholders' values for all of its conversations.
    shared_parameters = models.JSONField(default=dict, blank=True)
    concurrent_processing = models.PositiveSmallIntegerField(
        "calls in flight", default=3, help_text="Requests at Claude at one time."
    )
    error_handling = models.CharField(max_length=10, choices=ErrorHandling, default=ErrorHandling.CONTINUE)
    max_attempts = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_ATTEMPTS)],
        help_text="Requests for one conversation, at most.",
    )
    delivery = models.CharField(max_length=10, choices=Delivery, default=Delivery.LIVE)
    retry_strategy = models.CharField(
        max_length=20, choices=RetryStrategy, default=RetryStrategy.EXPONENTIAL, help_text="How waits grow."
    )
    request_timeout = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Seconds for one request, at most. Empty: as the installation has it.",
    )
    budget_usd = models.DecimalField(
        "budget",
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="What it may cost, in USD. Empty: whatever it costs.",
    )
    # Cost, tokens and time as they were foreseen.
    estimate = models.JSONField(default=dict, blank=True)

    # The one slice that runs it at this moment (see batches/engine.py).
    runner = models.CharField(max_length=120, blank=True, editable=False)
    runner_lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            referable("batch_job"),
            one_of("status", JobStatus, table="batch_job"),
            one_of("priority", Priority, table="batch_job"),
            one_of("tier", TierFilter, table="batch_job"),
            one_of("selection", Selection, table="batch_job"),
            one_of("error_handling", ErrorHandling, table="batch_job"),
            one_of("delivery", Delivery, table="batch_job"),
            # Without a call in flight it would never end.
            models.CheckConstraint(condition=Q(concurrent_processing__gte=1), name="batch_job_concurrency_positive"),
            at_least("max_attempts", 1, table="batch_job"),
            one_of("retry_strategy", RetryStrategy, table="batch_job"),
            at_least("request_timeout", 1, table="batch_job"),
            # What Claude takes.
            *configuration_rules("batch_job"),
            at_least("budget_usd", 0, table="batch_job"),
            at_least("actual_cost_usd", 0, table="batch_job"),
            # No more can have ended than there are.
            models.CheckConstraint(
                condition=Q(total_items__gte=F("successful_items") + F("failed_items")),
                name="batch_job_counters_add_up",
            ),
        ]
        triggers = [Transitions(JOB), CountersBeginAtZero(), CountersFollowItems()]
        indexes = [
            # The queue: what waits, and how many run. Ended jobs are most of the table and are left out.
            models.Index(
                fields=["status", "created_at"],
                condition=~Q(status__in=[status.value for status in ENDED]),
                name="batch_job_open",
            ),
            models.Index(fields=["workspace", "created_at"], name="batch_job_history"),  # a workspace's list
            # How far off the latest estimates were.
            models.Index(
                fields=["delivery", "-completed_at"],
                condition=Q(completed_at__isnull=False) & ~Q(estimate={}),
                name="batch_job_estimated",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def at_work(self) -> bool:
        """Whether something may still come of it: it has not ended, or its last calls are in flight."""
        return not self.ended or self.items.filter(status=ItemStatus.PROCESSING).exists()

    @property
    def has_runner(self) -> bool:
        """Whether a slice works on it: one that died is no runner once its lease has ended."""
        lease = self.runner_lease_expires_at
        return bool(self.runner) and lease is not None and lease > timezone.now()


class BatchItem(WorkspaceRow):
    """One conversation's place in a batch."""

    # The references' indexes are in Meta, where they serve more than the reference.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False, related_name="+")
    job = models.ForeignKey(
        BatchJob, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="items"
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, db_constraint=False, related_name="batch_items"
    )
    position = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=ItemStatus, default=ItemStatus.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Per cent.")
    estimated_time = models.DurationField(null=True, blank=True)
    # What went wrong, as one of our error names.
    error_type = models.CharField(max_length=60, blank=True)
    # The same in words.
    error_message = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Times that a worker began it.")

    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0), help_text="Spent in this job.")

    # Whose turn it is: completion counts only with the call id of the present claim.
    call_id = models.UUIDField(null=True, blank=True, editable=False)
    claimed_by = models.CharField(max_length=120, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Economy delivery: which message batch holds it, or held it last, and as what it was sent: the request, and the
    # template's version. It may have changed by the time that the result comes.
    message_batch = models.ForeignKey(
        MessageBatch,
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        editable=False,
        related_name="items",
    )
    sent = models.JSONField(null=True, blank=True, editable=False)
    submissions = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Times that it was in a message batch, since it was last queued by hand."
    )

    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["job", "position"]
        constraints = [
            SameWorkspace("job", name="batch_item_job_same_workspace"),
            SameWorkspace("conversation", name="batch_item_conversation_same_workspace"),
            SameWorkspace("message_batch", name="batch_item_message_batch_same_workspace"),
            # What a message batch holds has no lease that could end: nobody may send it a second time.
            models.CheckConstraint(
                condition=Q(message_batch__isnull=True) | Q(lease_expires_at__isnull=True),
                name="batch_item_lease_or_message_batch",
            ),
            # Reading a job in order, its list of items, deleting it; and no two items in one place.
            models.UniqueConstraint(fields=["job", "position"], name="batch_item_position_once"),
            # A conversation is worked on by one batch at a time: otherwise two would pay for it.
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=[status.value for status in OPEN]),
                name="batch_item_conversation_open_once",
            ),
            one_of("status", ItemStatus, table="batch_item"),
            # Per cent.
            models.CheckConstraint(condition=Q(progress__lte=100), name="batch_item_progress_range"),
            at_least("position", 1, table="batch_item"),
            at_least("cost_usd", 0, table="batch_item"),
        ]
        triggers = [Transitions(ITEM), *COUNT_ITEMS]
        indexes = [
            # Claiming: the open items of a job in order.
            models.Index(
                fields=["job", "position"],
                condition=Q(status__in=[status.value for status in OPEN]),
                name="batch_item_open",
            ),
            models.Index(fields=["workspace", "status"], name="batch_item_status"),  # the list by a rare status
            # What a message batch holds, its list of items, deleting it.
            models.Index(
                fields=["message_batch"], condition=Q(message_batch__isnull=False), name="batch_item_message_batch"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job} #{self.position}"
