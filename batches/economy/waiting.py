"""What an economy job waits for, in words."""

from uuid import UUID

from django.db.models import Count, Min, QuerySet, Sum
from django.utils import timezone

from batches.choices import HOLDING, JobStatus
from batches.models import BatchJob, MessageBatch


def in_words(job_id: UUID) -> str:
    """“2 message batches with 250 requests are at Claude, who answers within a day.”, and what is wrong with one of
    them; empty when there are none.
    """
    held = _held(job_id)
    number, requests = held.aggregate(number=Count("pk"), requests=Sum("requests")).values()
    if not number:
        return ""
    which = "1 message batch" if number == 1 else f"{number} message batches"
    what = "1 request" if requests == 1 else f"{requests} requests"
    wrong = held.exclude(last_error="").values_list("last_error", flat=True).first()
    words = f"{which} with {what} {'is' if number == 1 else 'are'} at Claude, who answers within a day."
    return f"{words} {wrong}" if wrong else words


def next_look(job_id: UUID) -> float | None:
    """Seconds until one of them is looked at; None when there are none."""
    due = _held(job_id).aggregate(due=Min("next_look_at"))["due"]
    return None if due is None else float((due - timezone.now()).total_seconds())


def tell(job_id: UUID) -> None:
    """Write on the job's row what it waits for."""
    BatchJob.objects.filter(pk=job_id, status=JobStatus.PROCESSING).update(status_reason=in_words(job_id))


def _held(job_id: UUID) -> QuerySet[MessageBatch]:
    return MessageBatch.objects.filter(job_id=job_id, status__in=HOLDING)
