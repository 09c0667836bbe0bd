"""Steering batches in the admin: pause, resume, cancel, retry; concurrency, priority and budget on a batch's page."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from batches import changing, control
from batches.admin_cancelling import cancelling
from batches.choices import ENDED, Selection
from batches.models import BatchJob
from batches.wizard import progress, steering, summary
from batches.wizard.steps import job_url, plan_url
from conversations.admin.lists import ReadOnlyAdmin
from conversations.admin.scoping import WorkspaceRowForm, signed_in

STEER = "batches_batchjob_steer"


class SteeringForm(WorkspaceRowForm):
    class Meta:
        labels = {"concurrent_processing": "At the same time", "budget_usd": "Budget in USD"}
        help_texts = {"concurrent_processing": "Conversations that Claude writes at one time."}

    def clean(self) -> dict[str, Any]:
        """Refuse here what `changing` would refuse, beside the field."""
        cleaned = super().clean()
        if problem := changing.concurrency_problem(cleaned.get("concurrent_processing")):
            self.add_error("concurrent_processing", problem)
        return cleaned


class SteeringAdmin(ReadOnlyAdmin):
    """A batch is a record, but for what steers it while it has not ended."""

    form = SteeringForm
    actions = ["pause", "resume", "cancel_selected", "retry_failed_items"]

    def has_control_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("batches.change_batchjob")

    def has_change_permission(self, request: HttpRequest, obj: BatchJob | None = None) -> bool:
        return obj is not None and not obj.ended and self.has_control_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        named = [name for name in fields_of(self.get_fieldsets(request, obj)) if name not in changing.CHANGEABLE]
        return [*super().get_readonly_fields(request, obj), *named]

    def save_model(self, request: HttpRequest, obj: BatchJob, form: forms.ModelForm, change: bool) -> None:
        """Write what was changed, and nothing else: the batch has gone on since the page was opened."""
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in changing.CHANGEABLE}
        try:
            changed = changing.change(obj.pk, values)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return
        if not changed:
            self.message_user(request, f"“{obj}” has ended meanwhile: nothing was changed.", messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(require_POST(self.steer_view))
        return [path("<uuid:job_id>/steer/", page, name=STEER), *super().get_urls()]

    def steer_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Do one thing to one batch, and show its page again, or its progress where that was looked at."""
        jobs = self.get_queryset(request).filter(pk=job_id)
        job = get_object_or_404(jobs)
        act = request.POST.get("act", "")
        if not self.has_control_permission(request):
            raise PermissionDenied
        if act in [each.name for each in steering.acts(job)]:
            getattr(self, act)(request, jobs)
        else:  # another page, or the batch itself, was quicker
            self.message_user(request, f"“{job}” is {_state(job)} now. Look again.", messages.WARNING)
        if request.POST.get("back") == progress.PROGRESS:
            return redirect(job_url("progress", job, changed="yes"))
        return redirect(reverse("admin:batches_batchjob_change", args=[job.pk]))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if obj := kwargs.get("obj"):
            context |= summary.of(request, obj)
            context |= {} if obj.ended else progress.standing(request, obj, in_dialog=False, back=progress.PAGE)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description="Pause selected batches", permissions=["control"])
    def pause(self, request: HttpRequest, jobs: QuerySet[BatchJob]) -> None:
        reason = f"Paused by {signed_in(request).get_username()}."
        self._steer(request, jobs, lambda pk: control.pause(pk, reason), "paused", "processing")

    @admin.action(description="Resume selected batches", permissions=["control"])
    def resume(self, request: HttpRequest, jobs: QuerySet[BatchJob]) -> None:
        self._steer(request, jobs, control.resume, "resumed", "paused")

    @admin.action(description="Cancel selected batches", permissions=["control"])
    def cancel_selected(self, request: HttpRequest, jobs: QuerySet[BatchJob]) -> HttpResponse | None:
        """First a page that asks; a batch's own page, and its progress, have asked already."""
        if "cancel" in request.POST:  # the question's other button: nothing is done
            return None
        asked = cancelling(list(jobs))
        if not asked.agreed(request):
            return asked.page(request, self, list_url=request.get_full_path(), list_name="Batches")
        self.cancel(request, jobs.exclude(status__in=ENDED))
        return None

    def cancel(self, request: HttpRequest, jobs: QuerySet[BatchJob]) -> None:
        self._steer(request, jobs, control.cancel, "cancelled", "unfinished")

    def _steer(
        self, request: HttpRequest, jobs: QuerySet[BatchJob], act: Callable[[UUID], bool], done: str, needed: str
    ) -> None:
        """Do it to each, and say to which it could not be done, and why."""
        for job in jobs:
            if act(job.pk):
                self.message_user(request, f"“{job}” is {done}.", messages.SUCCESS)
            else:
                job.refresh_from_db(fields=["status"])
                refusal = f"“{job}” cannot be {done}: it is {_state(job)}, and only a batch that is {needed} can be."
                self.message_user(request, refusal, messages.WARNING)

    @admin.action(description="Retry failed items of selected batches", permissions=["control"])
    def retry_failed_items(self, request: HttpRequest, jobs: QuerySet[BatchJob]) -> None:
        for job in jobs:
            if retried := control.retry_failed(job.pk):
                what = "1 failed item is" if retried == 1 else f"{retried} failed items are"
                self.message_user(request, f"{what} queued once more in “{job}”.", messages.SUCCESS)
            else:
                self.message_user(request, _why_not_retried(job), messages.WARNING)


def _state(job: BatchJob) -> str:
    return str(job.get_status_display()).lower()


def fields_of(fieldsets: Any) -> list[str]:
    """The names in fieldsets, rows of several included."""
    rows = [row for _title, options in fieldsets for row in options["fields"]]
    return [name for row in rows for name in ([row] if isinstance(row, str) else row)]


def _why_not_retried(job: BatchJob) -> SafeString:
    if not job.ended:
        return format_html("“{}” has no failed items that could be retried.", job)
    url = plan_url(selection=Selection.FAILED.value, of_batch=job.pk)
    return format_html('“{}” has ended. <a href="{}">Regenerate what failed</a> in a new batch instead.', job, url)
