"""What a batch may still begin within its budget."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q

from batches.choices import OPEN
from batches.models import BatchJob
from batches.wording import as_written

UNLIMITED = 1_000_000_000  # more than any batch has


@dataclass(frozen=True)
class Budget:
    """Amounts in USD. What is begun and has not ended counts with what one conversation usually costs."""

    limit: Decimal | None  # none: whatever it costs
    spent: Decimal
    ended: int  # conversations that this was spent on
    expected: Decimal  # by the estimate, for one conversation; counts until one has ended

    @property
    def usual(self) -> Decimal:
        """What one conversation costs; 0 when nobody knows."""
        return self.spent / self.ended if self.ended else self.expected

    def room(self, begun: int) -> int:
        """How many more may begin beside `begun` ones: as many as can be paid for."""
        if self.limit is None:
            return UNLIMITED
        left = self.limit - self.spent
        if left <= 0:
            return 0
        return max(int(left / self.usual) - begun, 0) if self.usual else UNLIMITED

    def in_words(self) -> str:
        """Why the batch goes no further, and what to do."""
        budget, each = as_written(self.limit or Decimal(0)), f"${self.usual:.4f}"
        return (
            f"The budget of {budget} has no room for another conversation: ${self.spent:.4f} is spent, and one costs "
            f"about {each}. Raise the budget, then resume."
        )


def budget_of(job: BatchJob) -> Budget:
    """As the database has it at one moment. What failed before anything was paid says nothing of what one costs.

    One statement: had a conversation ended between two, it would count without its cost, and one would seem to cost
    less than it does. What is begun must be counted before, for the same reason.
    """
    paid_for = Count("items", filter=Q(items__cost_usd__gt=0) & ~Q(items__status__in=OPEN))
    row = BatchJob.objects.filter(pk=job.pk).annotate(paid_for=paid_for)
    limit, spent, ended = row.values_list("budget_usd", "actual_cost_usd", "paid_for").get()
    return Budget(limit, spent, ended, expected_each(job.estimate, job.delivery))


def expected_each(estimate: Mapping[str, Any], delivery: str) -> Decimal:
    """USD that one conversation will likely cost, by what a job keeps of its estimate; 0 when there is none."""
    if not estimate:
        return Decimal(0)
    return Decimal(estimate[delivery]["cost_usd"]["likely"]) / int(estimate["conversations"])
