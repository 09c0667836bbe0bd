"""How a template does: how often it was used, how good its conversations became, what they cost; and the trend."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from conversations.choices import Status
from conversations.models import Conversation, PromptTemplate

DECIDED = (Status.APPROVED, Status.REJECTED, Status.NEEDS_REVISION)
MONTHS = 12  # of the trend, the newest

_WRITTEN = Q(turn_count__gt=0)
_SUMS: Mapping[str, Any] = {
    "conversations": Count("pk"),
    "written": Count("pk", filter=_WRITTEN),
    "scored": Count("pk", filter=Q(quality_score__isnull=False)),
    "quality": Sum("quality_score"),
    "approved": Count("pk", filter=Q(status=Status.APPROVED)),
    "decided": Count("pk", filter=Q(status__in=DECIDED)),
    "cost": Sum("cost_usd", filter=_WRITTEN),
    "input_tokens": Sum("input_tokens", filter=_WRITTEN),
    "output_tokens": Sum("output_tokens", filter=_WRITTEN),
}


@dataclass(frozen=True)
class Results:
    """Of some conversations. None where there are none to tell it of."""

    conversations: int
    average_quality: Decimal | None  # 0.00 to 10.00, of those with a score
    approval_rate: float | None  # 0 to 1: approved, of those that were decided on
    average_cost_usd: Decimal | None  # of those that have been written, failed attempts included
    average_input_tokens: int | None
    average_output_tokens: int | None


@dataclass(frozen=True)
class Month:
    month: date  # its first day
    results: Results


@dataclass(frozen=True)
class Statistics:
    usage_count: int  # conversations that were generated with it, deleted ones included
    by_status: dict[str, int]
    results: Results
    trend: list[Month]  # by when they were created, the oldest month first


def statistics(template: PromptTemplate) -> Statistics:
    """In two queries, each of which reads the template's conversations once."""
    conversations: QuerySet[Any] = Conversation.objects.filter(workspace=template.workspace_id, template=template)
    conversations = conversations.order_by()
    by_status = list(conversations.values("status").annotate(**_SUMS))
    counted = {row["status"]: row["conversations"] for row in by_status}
    return Statistics(
        usage_count=template.usage_count,
        by_status={status: counted.get(status, 0) for status in Status.values},
        results=_results(by_status),
        trend=[Month(row["month"].date(), _results([row])) for row in _months(conversations)],
    )


def _months(conversations: QuerySet[Any]) -> list[dict[str, Any]]:
    by_month = conversations.annotate(month=TruncMonth("created_at")).values("month").annotate(**_SUMS)
    return list(by_month.order_by("-month")[:MONTHS])[::-1]


def _results(rows: Iterable[Mapping[str, Any]]) -> Results:
    total = {name: sum(row[name] or 0 for row in rows) for name in _SUMS}
    written = total["written"]
    return Results(
        conversations=total["conversations"],
        average_quality=_average(total["quality"], total["scored"], "0.01"),
        approval_rate=round(total["approved"] / total["decided"], 4) if total["decided"] else None,
        average_cost_usd=_average(total["cost"], written, "0.000001"),
        average_input_tokens=round(total["input_tokens"] / written) if written else None,
        average_output_tokens=round(total["output_tokens"] / written) if written else None,
    )


def _average(total: Decimal | int, number: int, step: str) -> Decimal | None:
    return (Decimal(total) / number).quantize(Decimal(step)) if number else None
