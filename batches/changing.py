"""What may be changed of a batch that has not ended, which a running one sees within a second; and its end for good."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from batches.choices import ENDED
from batches.models import BatchJob

CHANGEABLE = ("concurrent_processing", "priority", "budget_usd")


def change(job_id: UUID, values: Mapping[str, Any]) -> bool:
    """Give a batch another concurrency, priority or budget (USD; None: whatever it costs). False when it has ended.

    Raises `ValidationError` by field, and changes nothing then.
    """
    unknown = values.keys() - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} cannot be changed; only {', '.join(CHANGEABLE)} can.")
    _check(values)
    jobs = BatchJob.objects.filter(pk=job_id).exclude(status__in=ENDED)
    return bool(jobs.update(**values, updated_at=timezone.now()))


@transaction.atomic
def delete(job_id: UUID) -> bool:
    """Delete a batch with its items; its conversations stay. False while something may still come of it."""
    job = BatchJob.objects.select_for_update().get(pk=job_id)
    if job.at_work:
        return False
    job.delete()
    return True


def concurrency_problem(concurrency: int | None) -> str:
    """What is wrong with a number of calls in flight; empty when nothing is, or none was given."""
    if concurrency is None or 1 <= concurrency <= settings.MAX_BATCH_CONCURRENCY:
        return ""
    most = settings.MAX_BATCH_CONCURRENCY
    return f"At the same time, between 1 and {most} conversations can be generated, not {concurrency}."


def _check(values: Mapping[str, Any]) -> None:
    job = BatchJob(**values)
    problems: dict[str, Any] = {}
    try:
        job.clean_fields(exclude=[field.name for field in BatchJob._meta.fields if field.name not in values])
    except ValidationError as error:
        problems = error.message_dict
    if not problems and (problem := concurrency_problem(values.get("concurrent_processing"))):
        problems["concurrent_processing"] = problem
    if problems:
        raise ValidationError(problems)
