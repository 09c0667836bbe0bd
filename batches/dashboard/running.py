"""The batches that have not ended, and how far each is."""

from collections.abc import Sequence
from dataclasses import dataclass

from batches import progress
from batches.choices import ENDED, JobStatus
from batches.models import BatchJob
from batches.wording import dollars, duration
from conversations.admin.scoping import visible

SHOWN = 5
ORDER = (JobStatus.PROCESSING, JobStatus.QUEUED, JobStatus.PAUSED)
LOOKED_AT = 100  # a queue may be long


@dataclass(frozen=True)
class Running:
    job: BatchJob

    @property
    def at_work(self) -> bool:
        """Whether it goes on by itself: one that is paused does once its last calls have ended."""
        return self.job.status != JobStatus.PAUSED or self.job.has_runner

    @property
    def step(self) -> str:
        return progress.step(self.job)

    @property
    def cost(self) -> str:
        return dollars(self.job.actual_cost_usd)

    @property
    def left(self) -> str:
        """How long it takes yet, as far as is known."""
        left = self.job.estimated_time_remaining
        return f"about {duration(left.total_seconds())} left" if left and self.job.has_runner else ""


@dataclass(frozen=True)
class RunningBatches:
    shown: Sequence[Running]
    more: int

    @property
    def at_work(self) -> bool:
        """Whether there is something to follow."""
        return any(batch.at_work for batch in self.shown)


def running_batches() -> RunningBatches:
    """In the scope: those at work first, then those that wait for their turn, then the paused ones."""
    jobs = visible(BatchJob.objects.exclude(status__in=ENDED)).order_by("created_at")[:LOOKED_AT]
    ordered = sorted(jobs, key=lambda job: ORDER.index(JobStatus(job.status)))
    return RunningBatches([Running(job) for job in ordered[:SHOWN]], max(0, len(ordered) - SHOWN))
