"""A batch job and its items."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from conversations.choices import Tier
from conversations.models import Conversation, WorkspaceRow
from convgen.models import one_of
from convgen.tenancy.references import SameWorkspace, referable


class JobStatus(models.TextChoices):
    """`queued → processing ⇄ paused`, and from each of them to the end (see batches/control.py)."""

    QUEUED = "queued"
    PROCESSING = "processing"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class ItemStatus(models.TextChoices):
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (ItemStatus.QUEUED, ItemStatus.PROCESSING)


class Priority(models.TextChoices):
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class TierFilter(models.TextChoices):
    ALL = "all", "All tiers"
    TEMPLATE = Tier.TEMPLATE.value, "Template"
    SCENARIO = Tier.SCENARIO.value, "Scenario"
    EDGE_CASE = Tier.EDGE_CASE.value, "Edge case"


class Selection(models.TextChoices):
    """Which conversations of the tier a batch takes."""

    GAPS = "gaps", "All that the plan still lacks: gaps, drafts and failed ones"
    DRAFTS = "drafts"
    FAILED = "failed"
    CHOSEN = "chosen", "Chosen by id"


class ErrorHandling(models.TextChoices):
    CONTINUE = "continue", "Go on with the others"
    STOP = "stop", "Stop at the first failure"


class Delivery(models.TextChoices):
    LIVE = "live"
    ECONOMY = "economy", "Economy (half price, within a day)"


class BatchJob(WorkspaceRow):
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=JobStatus, default=JobStatus.QUEUED)
    status_reason = models.TextField(blank=True, help_text="Why it was paused or stopped, in words.")
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.NORMAL)

    total_items = models.PositiveIntegerField(default=0)
    completed_items = models.PositiveIntegerField(default=0, help_text="Ended either way: successful and failed.")
    successful_items = models.PositiveIntegerField(default=0)
    failed_items = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    estimated_time_remaining = models.DurationField(null=True, blank=True)

    tier = models.CharField(max_length=20, choices=TierFilter, default=TierFilter.ALL)
    selection = models.CharField(max_length=20, choices=Selection, default=Selection.GAPS)
    shared_parameters = models.JSONField(default=dict, blank=True)
    concurrent_processing = models.PositiveSmallIntegerField(default=3, help_text="Calls in flight at one time.")
    error_handling = models.CharField(max_length=10, choices=ErrorHandling, default=ErrorHandling.CONTINUE)
    max_attempts = models.PositiveSmallIntegerField(default=3, help_text="Requests for one conversation, at most.")
    delivery = models.CharField(max_length=10, choices=Delivery, default=Delivery.LIVE)
    model = models.CharField(max_length=100)
    budget_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    estimate = models.JSONField(default=dict, blank=True)
    actual_cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=Decimal(0))

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
            models.CheckConstraint(condition=Q(concurrent_processing__gte=1), name="batch_job_concurrency_positive"),
            models.CheckConstraint(
                condition=Q(completed_items=F("successful_items") + F("failed_items"))
                & Q(completed_items__lte=F("total_items")),
                name="batch_job_counters_add_up",
            ),
        ]
        indexes = [
            # The queue: what waits, and how many run. Ended jobs are most of the table and are left out.
            models.Index(
                fields=["status", "created_at"],
                condition=~Q(status__in=[status.value for status in ENDED]),
                name="batch_job_open",
            ),
            models.Index(fields=["workspace", "created_at"], name="batch_job_history"),  # a workspace's list
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
    job = models.ForeignKey(BatchJob, on_delete=models.CASCADE, db_constraint=False, related_name="items")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, db_constraint=False, related_name="batch_items"
    )
    position = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=ItemStatus, default=ItemStatus.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Per cent.")
    estimated_time = models.DurationField(null=True, blank=True)
    error_type = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Times that a worker began it.")

    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0), help_text="Spent in this job.")

    # Whose turn it is: completion counts only with the call id of the present claim.
    call_id = models.UUIDField(null=True, blank=True, editable=False)
    claimed_by = models.CharField(max_length=120, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["job", "position"]
        constraints = [
            SameWorkspace("job", name="batch_item_job_same_workspace"),
            SameWorkspace("conversation", name="batch_item_conversation_same_workspace"),
            # Reading a job in order, claiming the next item; and no two items in one place.
            models.UniqueConstraint(fields=["job", "position"], name="batch_item_position_once"),
            # A conversation is worked on by one batch at a time: otherwise two would pay for it.
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=[status.value for status in OPEN]),
                name="batch_item_conversation_open_once",
            ),
            one_of("status", ItemStatus, table="batch_item"),
            models.CheckConstraint(condition=Q(progress__lte=100), name="batch_item_progress_range"),
        ]
        indexes = [
            # Claiming: the open items of a job in order.
            models.Index(
                fields=["job", "position"],
                condition=Q(status__in=[status.value for status in OPEN]),
                name="batch_item_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job} #{self.position}"
