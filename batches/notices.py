"""Whoever started a batch is told by e-mail when it has ended, or cannot go on by itself."""

from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django_q.tasks import async_task

from batches.choices import ENDED, JobStatus
from batches.models import BatchJob
from batches.summary import summarize

SEND = "batches.tasks.tell_starter"


def order(job_id: UUID, status: JobStatus) -> None:
    """Have a worker write to the starter of the job that it has come to `status`; inside a transaction, the request is
    undone with it.
    """
    if settings.EMAIL_URL:
        async_task(SEND, str(job_id), status.value)


def send(job: BatchJob) -> bool:
    """Tell how the job stands. False when there is nobody to tell, or it goes on already. Raises `OSError`."""
    person = job.created_by
    if person is None or not person.is_active or not person.email:
        return False
    if job.status not in (*ENDED, JobStatus.PAUSED):
        return False
    summary = summarize(job)
    text = render_to_string("batches/notice.txt", {"job": job, "summary": summary, "link": _link(job)})
    send_mail(_subject(job), text, None, [person.email])
    return True


def _subject(job: BatchJob) -> str:
    what = f"{job.successful_items} of {job.total_items} succeeded"
    return " ".join(f"{job.name}: {job.get_status_display().lower()}, {what}".split())


def _link(job: BatchJob) -> str:
    """The batch's page; empty when nobody has said under which address the site is reached."""
    page = reverse("admin:batches_batchjob_change", args=[job.pk])
    return urljoin(settings.SITE_URL, page) if settings.SITE_URL else ""
