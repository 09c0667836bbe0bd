"""What a batch came to, as data."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from batches.choices import ItemStatus
from batches.models import BatchItem, BatchJob
from conversations.choices import Status, Tier
from generation.models import GenerationLog

HISTOGRAM = (("<4", 0, 4), ("<6", 4, 6), ("<8", 6, 8), ("8+", 8, 11))  # quality scores, upper bound excluded


@dataclass
class TierSummary:
    tier: str
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    pending_review: int = 0
    cost_usd: Decimal = Decimal(0)
    scores: list[Decimal] = field(default_factory=list)

    @property
    def average_quality(self) -> Decimal | None:
        """One decimal; None without a scored conversation."""
        return round(sum(self.scores, Decimal(0)) / len(self.scores), 1) if self.scores else None

    @property
    def histogram(self) -> dict[str, int]:
        """How many conversations scored in each range."""
        return {name: sum(low <= score < high for score in self.scores) for name, low, high in HISTOGRAM}

    def add(self, row: dict[str, Any]) -> None:
        """Count one item, given as the values that `summarize` reads."""
        self.total += 1
        self.succeeded += row["status"] == ItemStatus.COMPLETED
        self.failed += row["status"] == ItemStatus.FAILED
        self.cancelled += row["status"] == ItemStatus.CANCELLED
        self.cost_usd += row["cost_usd"]
        if row["status"] == ItemStatus.COMPLETED:
            self.pending_review += row["conversation__status"] == Status.PENDING_REVIEW
            self.scores.append(row["conversation__quality_score"])


@dataclass
class Summary:
    job: BatchJob
    tiers: list[TierSummary]
    failures: Counter[str]  # message -> items; most frequent first
    simulated: int  # of the successful ones, how many were written by simulated Claude
    cache_saving_usd: Decimal  # how much more it would have cost without the prompt cache

    @property
    def duration(self) -> float:
        """Seconds from start to end, or until now."""
        if not self.job.started_at:
            return 0.0
        return ((self.job.completed_at or timezone.now()) - self.job.started_at).total_seconds()

    @property
    def every_item_succeeded(self) -> bool:
        return self.job.successful_items == self.job.total_items

    def as_json(self) -> dict[str, Any]:
        """The same as plain data: USD as text, seconds as a number."""
        return {
            "job_id": str(self.job.pk),
            "name": self.job.name,
            "status": self.job.status,
            "reason": self.job.status_reason,
            "total": self.job.total_items,
            "succeeded": self.job.successful_items,
            "failed": self.job.failed_items,
            "cost_usd": str(self.job.actual_cost_usd),
            "cache_saving_usd": str(self.cache_saving_usd),
            "duration_seconds": round(self.duration, 3),
            "simulated": self.simulated,
            "tiers": [_tier_json(tier) for tier in self.tiers],
            "failures": [{"message": message, "count": count} for message, count in self.failures.most_common()],
        }


def summarize(job: BatchJob) -> Summary:
    """The summary of a job as it stands now."""
    tiers = {tier.value: TierSummary(tier.value) for tier in Tier}
    failures: Counter[str] = Counter()
    simulated = 0
    for row in _rows(job):
        tiers[row["conversation__tier"]].add(row)
        simulated += row["status"] == ItemStatus.COMPLETED and row["conversation__simulated"]
        if row["status"] == ItemStatus.FAILED:
            failures[row["error_message"]] += 1
    shown = [tier for tier in tiers.values() if tier.total]
    return Summary(job, shown, failures, simulated, _saved_by_cache(job))


def _saved_by_cache(job: BatchJob) -> Decimal:
    """From the log, of all attempts at the job's conversations since it was created."""
    attempts = GenerationLog.objects.filter(
        conversation__in=job.items.values("conversation"), created_at__gte=job.created_at
    )
    if job.completed_at:
        attempts = attempts.filter(created_at__lte=job.completed_at)
    saved: Decimal | None = attempts.aggregate(saved=Sum("cache_saving_usd"))["saved"]
    return saved or Decimal(0)


def _rows(job: BatchJob) -> Any:
    of_conversation = ("tier", "status", "quality_score", "simulated")
    names = ("status", "error_message", "cost_usd", *(f"conversation__{name}" for name in of_conversation))
    return BatchItem.objects.filter(job=job).values(*names).iterator(chunk_size=2000)


def _tier_json(tier: TierSummary) -> dict[str, Any]:
    quality = tier.average_quality
    return {
        "tier": tier.tier,
        "total": tier.total,
        "succeeded": tier.succeeded,
        "failed": tier.failed,
        "cancelled": tier.cancelled,
        "pending_review": tier.pending_review,
        "cost_usd": str(tier.cost_usd),
        "average_quality": None if quality is None else float(quality),
        "quality_histogram": tier.histogram,
    }
