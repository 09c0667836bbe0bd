"""How much of a budget is left for message batches, whose cost is known only when they have ended."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from django.db.models import Avg

from batches.choices import ItemStatus
from batches.models import AT_CLAUDE, BatchJob

FIRST = 10  # conversations that are tried where nothing says what one costs


def room(job: BatchJob, *, begun: int = 0) -> int | None:
    """How many more conversations may be sent; None without a budget. `begun` are claimed already.

    What is at Claude counts with what it is expected to cost.
    """
    job.refresh_from_db(fields=["budget_usd", "actual_cost_usd"])
    if job.budget_usd is None:
        return None
    away = job.items.filter(AT_CLAUDE).count() + begun
    each = expected_cost(job)
    if each is None:
        return max(0, FIRST - away) if job.actual_cost_usd < job.budget_usd else 0
    return max(0, int((job.budget_usd - job.actual_cost_usd) / each) - away)


def expected_cost(job: BatchJob) -> Decimal | None:
    """USD of one conversation: the average of those that have ended in this batch, else as it was estimated; None when
    neither is known.
    """
    paid = job.items.filter(status__in=(ItemStatus.COMPLETED, ItemStatus.FAILED), cost_usd__gt=0)
    average: Decimal | None = paid.aggregate(usd=Avg("cost_usd"))["usd"]
    return average or _estimated(job)


def used_up(job: BatchJob) -> str:
    """Why no more is sent, and what to do."""
    budget = (job.budget_usd or Decimal(0)).normalize()
    places = max(2, -int(budget.as_tuple().exponent))
    return (
        f"The budget of ${budget:.{places}f} is used up: ${job.actual_cost_usd:.4f} was spent, and the next "
        "conversation could exceed it. If you want to go on, raise it, then resume."
    )


def _estimated(job: BatchJob) -> Decimal | None:
    """As the plan estimated it, at the high end of its range: that is for the whole batch."""
    found: object = job.estimate
    for name in ("cost_usd", "economy", "high"):
        found = found.get(name) if isinstance(found, Mapping) else None
    try:
        each = Decimal(str(found)) / max(job.total_items, 1)
    except InvalidOperation:
        return None
    return each if each.is_finite() and each > 0 else None
