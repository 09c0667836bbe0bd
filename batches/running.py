"""The batches that have not ended: the pills at the top of every page."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from batches.choices import ENDED, JobStatus
from batches.models import BatchJob
from conversations.admin.scoping import visible

SHOWN = 3
MOST = 100  # that are looked at: a queue may be long
ORDER = (JobStatus.PROCESSING, JobStatus.PAUSED, JobStatus.QUEUED)
COLUMNS = ("name", "status", "total_items", "completed_items", "estimate")


@dataclass(frozen=True)
class RunningBatches:
    shown: Sequence[BatchJob]
    more: int

    @property
    def move(self) -> bool:
        """Whether one of them goes on by itself, so that it is worth looking again."""
        return self.more > 0 or any(job.status != JobStatus.PAUSED for job in self.shown)


def unfinished() -> QuerySet[BatchJob]:
    """In the scope; excluded as the partial index `batch_job_open` does, so that it is used."""
    return visible(BatchJob.objects.exclude(status__in=ENDED)).order_by("created_at")


def first_of(jobs: QuerySet[BatchJob], number: int) -> tuple[list[BatchJob], int]:
    """Those at work, then the paused ones, then those that wait for their turn; and how many more there are."""
    ordered = sorted(jobs[:MOST], key=lambda job: ORDER.index(JobStatus(job.status)))
    return ordered[:number], len(ordered[number:])


def running_batches() -> RunningBatches:
    """With one query."""
    return RunningBatches(*first_of(unfinished().only(*COLUMNS), SHOWN))


def may_look(request: HttpRequest) -> bool:
    return request.user.has_perm("batches.view_batchjob")


def view(request: HttpRequest) -> HttpResponse:
    """The pills alone, asked for every few seconds while something runs."""
    batches = running_batches() if may_look(request) else RunningBatches([], 0)
    return TemplateResponse(request, "batches/running.html", {"batches": batches})
