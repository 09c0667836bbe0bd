"""What a batch came to, as data."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum

from batches.choices import ItemStatus, TierFilter
from batches.comparison import Comparison, compare, seconds_of
from batches.models import BatchItem, BatchJob
from conversations.choices import Status, Tier
from generation.errors import GenerationError, by_code
from generation.models import GenerationLog
from generation.pricing import SIX_PLACES

HISTOGRAM = (("<4", 0, 4), ("<6", 4, 6), ("<8", 6, 8), ("8+", 8, 11))  # quality scores, upper bound excluded
EXAMPLES = 3  # conversations that are named for each way of failing


@dataclass
class Scores:
    """Quality scores, 0.0 to 10.0."""

    values: list[Decimal] = field(default_factory=list)

    @property
    def average(self) -> Decimal | None:
        """One decimal; None without a scored conversation."""
        return round(sum(self.values, Decimal(0)) / len(self.values), 1) if self.values else None

    @property
    def histogram(self) -> dict[str, int]:
        """How many lie in each range."""
        return {name: sum(low <= score < high for score in self.values) for name, low, high in HISTOGRAM}

    def as_json(self) -> dict[str, Any]:
        average = self.average
        return {
            "average_quality": None if average is None else float(average),
            "quality_histogram": self.histogram,
        }


@dataclass
class TierSummary:
    tier: str
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    pending_review: int = 0
    cost_usd: Decimal = Decimal(0)
    scores: Scores = field(default_factory=Scores)

    def add(self, row: dict[str, Any]) -> None:
        """Count one item, given as the values that `summarize` reads."""
        self.total += 1
        self.succeeded += row["status"] == ItemStatus.COMPLETED
        self.failed += row["status"] == ItemStatus.FAILED
        self.cancelled += row["status"] == ItemStatus.CANCELLED
        self.cost_usd += row["cost_usd"]
        if row["status"] == ItemStatus.COMPLETED:
            self.pending_review += row["conversation__status"] == Status.PENDING_REVIEW
            if (score := row["conversation__quality_score"]) is not None:
                self.scores.values.append(score)

    def __add__(self, other: "TierSummary") -> "TierSummary":
        return TierSummary(
            self.tier,
            self.total + other.total,
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.cancelled + other.cancelled,
            self.pending_review + other.pending_review,
            self.cost_usd + other.cost_usd,
            Scores(self.scores.values + other.scores.values),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "tier": self.tier,
            "total": self.total,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "cancelled": self.cancelled,
            "pending_review": self.pending_review,
            "cost_usd": str(self.cost_usd),
            **self.scores.as_json(),
        }


@dataclass
class Failures:
    """The items that failed for one reason."""

    error_type: str  # the code of an error of generation/errors.py
    count: int = 0
    still_failed: int = 0  # those that nobody has generated or put away since
    messages: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[UUID, str]] = field(default_factory=list)  # ids of conversations, and as people read them

    @property
    def reason(self) -> str:
        """In words: what was said most often."""
        return self.messages.most_common(1)[0][0] if self.messages else ""

    @property
    def next_step(self) -> str:
        """What to do, in words."""
        return self._error.next_step

    @property
    def worth_retrying(self) -> int:
        """How many may succeed when they are tried again, once what is amiss elsewhere is mended."""
        return self.still_failed if self._error.worth_retrying else 0

    @property
    def _error(self) -> type[GenerationError]:
        return by_code(self.error_type)

    def add(self, row: dict[str, Any]) -> None:
        self.count += 1
        self.messages[row["error_message"]] += 1
        self.still_failed += row["conversation__status"] == Status.FAILED
        if len(self.examples) < EXAMPLES:
            self.examples.append((row["conversation_id"], row["conversation__conversation_id"]))

    def as_json(self) -> dict[str, Any]:
        return {
            "error_type": self.error_type,
            "count": self.count,
            "reason": self.reason,
            "next_step": self.next_step,
            "worth_retrying": self.worth_retrying,
            "examples": [readable for _key, readable in self.examples],
        }


@dataclass
class Summary:
    job: BatchJob
    tiers: list[TierSummary]
    failures: list[Failures]  # by reason; the most frequent first
    simulated: int  # of the successful ones, how many were written by simulated Claude
    cache_saving_usd: Decimal  # how much more it would have cost without the prompt cache

    @property
    def duration(self) -> float:
        """Seconds from start to end, or until now."""
        return seconds_of(self.job)

    @property
    def every_item_succeeded(self) -> bool:
        return self.job.successful_items == self.job.total_items

    @property
    def all_tiers(self) -> TierSummary:
        """All tiers together."""
        return sum(self.tiers, TierSummary(TierFilter.ALL))

    @property
    def cost_each(self) -> Decimal | None:
        """USD for each conversation that succeeded, what the failed ones cost included; None without one."""
        if not self.job.successful_items:
            return None
        return (self.job.actual_cost_usd / self.job.successful_items).quantize(SIX_PLACES)

    @property
    def against_estimate(self) -> Comparison | None:
        return compare(self.job)

    @property
    def still_failed(self) -> int:
        """Conversations that failed here, and that a new batch can take up."""
        return sum(each.still_failed for each in self.failures)

    @property
    def worth_retrying(self) -> int:
        return sum(each.worth_retrying for each in self.failures)

    def as_json(self) -> dict[str, Any]:
        """The same as plain data: USD as text, seconds as a number.

        `tiers` have the same counts each, and `average_quality` and `quality_histogram`, as the whole has. `estimate`
        is what the job was foreseen to take (`Estimate.as_json`); `against_estimate` has `cost_usd` and `seconds`, each
        with `estimated` (for the share of items that ended), `actual`, `ratio` and `difference`, or is null.
        `failures` are grouped: `error_type`, `count`, `reason`, `next_step`, `worth_retrying`, `examples`.
        """
        compared = self.against_estimate
        return {
            "job_id": str(self.job.pk),
            "name": self.job.name,
            "status": self.job.status,
            "reason": self.job.status_reason,
            "delivery": self.job.delivery,
            "total": self.job.total_items,
            "succeeded": self.job.successful_items,
            "failed": self.job.failed_items,
            "worth_retrying": self.worth_retrying,
            "cost_usd": str(self.job.actual_cost_usd),
            "cost_usd_each": None if self.cost_each is None else str(self.cost_each),
            "cache_saving_usd": str(self.cache_saving_usd),
            "duration_seconds": round(self.duration, 3),
            "simulated": self.simulated,
            **self.all_tiers.scores.as_json(),
            "estimate": self.job.estimate or None,
            "against_estimate": compared
            and {"cost_usd": compared.usd.as_json(), "seconds": compared.seconds.as_json()},
            "tiers": [tier.as_json() for tier in self.tiers],
            "failures": [each.as_json() for each in self.failures],
        }


def summarize(job: BatchJob) -> Summary:
    """The summary of a job as it stands now."""
    tiers = {tier.value: TierSummary(tier.value) for tier in Tier}
    failures: dict[str, Failures] = {}
    simulated = 0
    for row in _rows(job):
        tiers[row["conversation__tier"]].add(row)
        simulated += row["status"] == ItemStatus.COMPLETED and row["conversation__simulated"]
        if row["status"] == ItemStatus.FAILED:
            failures.setdefault(row["error_type"], Failures(row["error_type"])).add(row)
    shown = [tier for tier in tiers.values() if tier.total]
    ranked = sorted(failures.values(), key=lambda each: -each.count)
    return Summary(job, shown, ranked, simulated, _saved_by_cache(job))


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
    of_conversation = ("conversation_id", "tier", "status", "quality_score", "simulated")
    own = ("conversation_id", "status", "error_type", "error_message", "cost_usd")
    names = (*own, *(f"conversation__{name}" for name in of_conversation))
    return BatchItem.objects.filter(job=job).order_by("position").values(*names).iterator(chunk_size=2000)
