"""What can be done to a batch as it stands, and the question before it is cancelled."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from batches.choices import JobStatus
from batches.models import BatchJob
from batches.wizard.steps import Step, job_of, job_url, page_of, refuse_unless
from batches.wording import conversations


@dataclass(frozen=True)
class Act:
    """A button. Its name is that of what does it in `SteeringAdmin`."""

    name: str
    label: str
    icon: str


PAUSE = Act("pause", "Pause", "pause")
RESUME = Act("resume", "Resume", "play")
RETRY = Act("retry_failed_items", "Retry failed", "retry")
CANCEL = Act("cancel", "Cancel batch", "stop")


def may_steer(request: HttpRequest) -> bool:
    return request.user.has_perm("batches.change_batchjob")


def acts(job: BatchJob) -> list[Act]:
    """What can be done to it."""
    if job.ended:
        return []
    running = {JobStatus.PROCESSING: [PAUSE], JobStatus.PAUSED: [RESUME]}
    failed = [RETRY] if job.failed_items else []
    return [*running.get(JobStatus(job.status), []), *failed, CANCEL]


def possible(request: HttpRequest, job: BatchJob) -> list[Act]:
    """The same, as far as the person may."""
    return acts(job) if may_steer(request) else []


def cancel_view(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What cancelling means here; the button on it does it."""
    refuse_unless(may_steer(request))
    job = job_of(request, job_id)
    if job.ended:
        return HttpResponseRedirect(job_url("summary", job))
    waiting = job.total_items - job.completed_items
    shown = {"job": job, "done": conversations(job.successful_items), "waiting": conversations(waiting)}
    context = page_of(request, Step.PROGRESS, "Cancel this batch?", shown)
    return TemplateResponse(request, "batches/wizard/cancel.html", context)
