"""The addresses of the steps, below the list of batches."""

from collections.abc import Callable

from django.contrib.admin import AdminSite
from django.http import HttpResponse
from django.urls import URLPattern, path

from batches import running
from batches.wizard import configure, confirm, preview, progress, steering, summary
from batches.wizard.steps import PLAN

Page = Callable[..., HttpResponse]

PAGES: list[tuple[str, Page, str]] = [
    ("plan/", configure.view, PLAN),
    ("plan/preview/", preview.view, "batches_batchjob_preview"),
    ("plan/confirm/", confirm.view, "batches_batchjob_confirm"),
    ("plan/start/", confirm.start, "batches_batchjob_start"),
    ("running/", running.view, "batches_batchjob_running"),
    ("<uuid:job_id>/progress/", progress.view, "batches_batchjob_progress"),
    ("<uuid:job_id>/progress/live/", progress.live, "batches_batchjob_live"),
    ("<uuid:job_id>/cancel/", steering.cancel_view, "batches_batchjob_cancel"),
    ("<uuid:job_id>/summary/", summary.view, "batches_batchjob_summary"),
]


def urls(site: AdminSite) -> list[URLPattern]:
    return [path(address, site.admin_view(page), name=name) for address, page, name in PAGES]
