"""Addresses of filtered lists: where a number leads to the rows that it counts."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from conversations.choices import Status
from conversations.tally import BEST, RANGES


def conversations_url(*, live: bool = False, **filters: Any) -> str:
    """The list of conversations by `status`, `tier`, `template` (its id), or a kind such as `persona`."""
    exact = {"status": "status__exact", "tier": "tier__exact", "template": "template__id__exact"}
    query = {exact.get(name, name): getattr(value, "value", value) for name, value in filters.items()}
    return _list("conversations_conversation", {**query, **({"live": "yes"} if live else {})})


def range_url(lowest: int) -> str:
    """Those whose score lies in one of `RANGES`, and that were neither archived nor rejected."""
    highest = BEST if lowest == RANGES[-1] else lowest + 0.9
    return conversations_url(live=True, quality_from=lowest, quality_to=highest)


def review_url() -> str:
    return conversations_url(status=Status.PENDING_REVIEW)


def simulated_url() -> str:
    return conversations_url(simulated__exact=1)


def requests_url(begin: datetime, end: datetime | None = None, **filters: Any) -> str:
    """The log from a moment on, up to another and without it."""
    until = {"created_at__lt": end.isoformat()} if end else {}
    return _list("generation_generationlog", {"created_at__gte": begin.isoformat(), **until, **filters})


def plan_url(**values: Any) -> str:
    """Where the plan of a batch that fills gaps is shown."""
    return reverse("admin:batches_batchjob_plan", query={"selection": "gaps", **values})


def _list(page: str, query: dict[str, Any]) -> str:
    return reverse(f"admin:{page}_changelist", query=query or None)
