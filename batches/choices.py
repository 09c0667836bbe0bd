"""The closed lists of words that jobs and items may hold. The database checks them too."""

from django.db import models

from conversations.choices import Tier
from generation.priority import Priority as Priority


class JobStatus(models.TextChoices):
    """Where a job stands. `batches/transitions.py` says what may follow what."""

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


class MessageBatchStatus(models.TextChoices):
    """Where a message batch stands, between us and Anthropic."""

    SUBMITTING = "submitting", "Submitting: whether Anthropic has it is not known yet"
    IN_PROGRESS = "in_progress", "In progress: Claude writes"
    CANCELING = "canceling", "Canceling: Anthropic was asked to stop"
    ENDED = "ended", "Ended: its results are there to be read"
    READ = "read", "Read: all its results are saved"
    NOT_CREATED = "not_created", "Not created: Anthropic never had it"
    LOST = "lost", "Lost: its results are gone"


# The message batches that still hold items.
HOLDING = (
    MessageBatchStatus.SUBMITTING,
    MessageBatchStatus.IN_PROGRESS,
    MessageBatchStatus.CANCELING,
    MessageBatchStatus.ENDED,
)
