"""The batches that have not ended, and how far each is."""

from collections.abc import Sequence
from dataclasses import dataclass

from batches import progress
from batches.choices import JobStatus
from batches.models import BatchJob
from batches.running import first_of, unfinished
from batches.wording import dollars, duration

SHOWN = 5


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
    """In the scope, as the pills at the top of the page name them."""
    jobs, more = first_of(unfinished(), SHOWN)
    return RunningBatches([Running(job) for job in jobs], more)
