"""What a span of the generation log adds up to: requests, tokens, cost, errors and time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from generation.models import GenerationLog, LogStatus

USUAL_SPAN = timedelta(days=30)
LONGEST_SPAN = timedelta(days=366)

# One pass over the rows, grouped in five ways at once. Of what was in a message batch, the time is no answer's; what
# failed may have ended at once, or at a timeout.
SUMS = f"""
SELECT
    grouping(chosen.status, chosen.model, chosen.error_type, chosen.day) AS grouped,
    coalesce(chosen.status, chosen.model, chosen.error_type, chosen.day::text) AS name,
    count(*) AS requests,
    count(*) FILTER (WHERE chosen.status = '{LogStatus.SUCCEEDED.value}') AS succeeded,
    count(*) FILTER (WHERE chosen.status = '{LogStatus.FAILED.value}') AS failed,
    count(DISTINCT chosen.run_id) AS runs,
    coalesce(sum(chosen.input_tokens), 0) AS input_tokens,
    coalesce(sum(chosen.output_tokens), 0) AS output_tokens,
    coalesce(sum(chosen.cache_read_tokens), 0) AS cache_read_tokens,
    coalesce(sum(chosen.cache_write_tokens), 0) AS cache_write_tokens,
    coalesce(sum(chosen.cost_usd), 0) AS cost_usd,
    coalesce(sum(chosen.cache_saving_usd), 0) AS cache_saving_usd,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY chosen.duration_ms)
        FILTER (WHERE chosen.status = '{LogStatus.SUCCEEDED.value}' AND chosen.message_batch_id = '') AS p50_ms,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY chosen.duration_ms)
        FILTER (WHERE chosen.status = '{LogStatus.SUCCEEDED.value}' AND chosen.message_batch_id = '') AS p95_ms
FROM (
    SELECT found.*, (found.created_at AT TIME ZONE %s)::date AS day FROM ({{rows}}) AS found
) AS chosen
GROUP BY GROUPING SETS ((), (chosen.status), (chosen.model), (chosen.error_type), (chosen.day))
ORDER BY requests DESC, name
"""

# By PostgreSQL's `grouping`: a bit for each column that a row is not grouped by.
KINDS = {0b1111: "total", 0b0111: "status", 0b1011: "model", 0b1101: "error", 0b1110: "day"}

COLUMNS = (
    *("status", "model", "error_type", "run_id", "created_at", "message_batch_id", "duration_ms"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd", "cache_saving_usd"),
)


class SpanRefused(ValueError):
    """The span of dates cannot be summed up; the message says which can be."""


@dataclass(frozen=True)
class Span:
    """From `begin` up to, and without, `end`."""

    begin: datetime
    end: datetime


@dataclass(frozen=True)
class LogStatistics:
    """Rows of sums: of all requests, and of those of each status, model, error and day."""

    span: Span
    total: Mapping[str, Any]
    by_status: Sequence[Mapping[str, Any]]
    by_model: Sequence[Mapping[str, Any]]
    by_error: Sequence[Mapping[str, Any]]  # those that failed
    by_day: Sequence[Mapping[str, Any]]  # in order; days without requests are left out


def span_of(after: datetime | None, before: datetime | None) -> Span:
    """The span that two dates mean, of which any may be missing: else the 30 days until `before`, or until now.

    Raises `SpanRefused` where it is empty, or longer than 366 days.
    """
    now = timezone.now()
    end = min(before or now, now)
    begin = after or max(end, now - LONGEST_SPAN) - USUAL_SPAN
    if begin >= end:
        raise SpanRefused("created_after must come before created_before.")
    if end - begin > LONGEST_SPAN:
        raise SpanRefused(f"Ask for {LONGEST_SPAN.days} days at most: set created_after and created_before.")
    return Span(begin, end)


def summed_up(logs: QuerySet[GenerationLog], span: Span) -> LogStatistics:
    """Of those rows that lie in the span: the bounds keep PostgreSQL to the months that it touches."""
    chosen = logs.filter(created_at__gte=span.begin, created_at__lt=span.end).order_by().values(*COLUMNS)
    found = _sums(chosen)
    return LogStatistics(
        span,
        total=found["total"][0],
        by_status=found["status"],
        by_model=found["model"],
        by_error=[sums for sums in found["error"] if sums["name"]],
        by_day=sorted(found["day"], key=lambda sums: str(sums["name"])),
    )


def _sums(chosen: QuerySet[Any, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows' sums, by what they are grouped by."""
    try:
        rows, values = chosen.query.sql_with_params()
    except EmptyResultSet:  # Django knows by itself that there are none: it is asked for all the same, for the zeros
        rows, values = chosen.model.objects.extra(where=["false"]).values(*COLUMNS).query.sql_with_params()
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(SUMS.format(rows=rows), [timezone.get_current_timezone_name(), *values])
        names = [column.name for column in cursor.description]
        for row in cursor.fetchall():
            sums = dict(zip(names, row, strict=True))
            found[KINDS[sums.pop("grouped")]].append(sums)
    return found
