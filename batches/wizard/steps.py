"""Where the steps are, and what their pages have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from batches.models import BatchJob
from conversations.admin.scoping import visible

PLAN = "batches_batchjob_plan"


class Step(Enum):
    CONFIGURE = "Configure"
    PREVIEW = "Preview"
    CONFIRM = "Confirm"
    PROGRESS = "Progress"
    SUMMARY = "Summary"


@dataclass(frozen=True)
class Shown:
    """A step in the row of steps above a page."""

    label: str
    done: bool
    current: bool


def plan_url(**values: Any) -> str:
    """The first step, filled in with values of the form's fields."""
    return reverse(f"admin:{PLAN}", query=values or None)


def job_url(page: str, job: BatchJob, **values: Any) -> str:
    """A page of a batch: `progress`, `live`, `cancel`, `summary`."""
    return reverse(f"admin:batches_batchjob_{page}", args=[job.pk], query=values or None)


def may_generate(request: HttpRequest) -> bool:
    """Generating costs money: it takes the permission to add a batch."""
    return request.user.has_perm("batches.add_batchjob")


def refuse_unless(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied


def job_of(request: HttpRequest, job_id: UUID) -> BatchJob:
    """A batch that the person may look at."""
    refuse_unless(request.user.has_perm("batches.view_batchjob"))
    job: BatchJob = get_object_or_404(visible(BatchJob.objects.all()), pk=job_id)
    return job


def page_of(request: HttpRequest, step: Step, title: str, shown: Mapping[str, Any]) -> dict[str, Any]:
    """A step's context."""
    order = list(Step)
    here = order.index(step)
    steps = [Shown(each.value, place < here, place == here) for place, each in enumerate(order)]
    return {**admin.site.each_context(request), "title": title, "opts": BatchJob._meta, "steps": steps, **shown}
