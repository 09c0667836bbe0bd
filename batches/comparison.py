"""A batch against its estimate: what it has cost and how long it took, and what was foreseen for as much of it."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from batches.models import BatchJob


@dataclass(frozen=True)
class Against:
    """One figure, foreseen and actual."""

    foreseen: float
    actual: float

    @property
    def ratio(self) -> float | None:
        """Above 1: more than was foreseen."""
        return self.actual / self.foreseen if self.foreseen else None

    @property
    def difference(self) -> float:
        return self.actual - self.foreseen

    @property
    def error(self) -> float | None:
        """How far off the estimate was, as a share of what it came to; either way."""
        return abs(self.difference) / self.actual if self.actual else None

    def as_json(self) -> dict[str, float | None]:
        ratio = self.ratio
        return {
            "estimated": round(self.foreseen, 6),
            "actual": round(self.actual, 6),
            "ratio": None if ratio is None else round(ratio, 4),
            "difference": round(self.difference, 6),
        }


@dataclass(frozen=True)
class Comparison:
    usd: Against
    seconds: Against
    ended: bool  # the batch; before that it may stand still, and its time tells nothing


def seconds_of(job: BatchJob) -> float:
    """From its start to its end, or until now; pauses count."""
    if not job.started_at:
        return 0.0
    return ((job.completed_at or timezone.now()) - job.started_at).total_seconds()


def compare(job: BatchJob) -> Comparison | None:
    """None without an estimate, or while nothing has ended.

    A batch that was cancelled, stopped or is under way is measured by the share of its items that have ended.
    """
    foreseen: dict[str, Any] | None = job.estimate.get(job.delivery)
    if not foreseen or not job.completed_items:
        return None
    share = job.completed_items / job.total_items
    return Comparison(
        Against(float(foreseen["cost_usd"]["likely"]) * share, float(job.actual_cost_usd)),
        Against(float(foreseen["seconds"]["likely"]) * share, seconds_of(job)),
        job.ended,
    )
