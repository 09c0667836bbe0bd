"""How much of a budget is left for message batches, whose cost is known only when they have ended."""

from batches.budget import budget_of
from batches.models import AT_CLAUDE, BatchJob

FIRST = 10  # conversations that are tried where nothing says what one costs


def room(job: BatchJob, *, begun: int = 0) -> int | None:
    """How many more conversations may be sent; None without a budget. `begun` are claimed already.

    What is at Claude counts with what it is expected to cost.
    """
    away = job.items.filter(AT_CLAUDE).count() + begun  # before what is spent is read: it may come back meanwhile
    budget = budget_of(job)
    if budget.limit is None:
        return None
    return min(budget.room(away), max(0, FIRST - away)) if not budget.usual else budget.room(away)
