"""The page where a batch begins: what it is to take and how, the plan of it, and *Start generation*.

The form says what is ordered, `planning.propose` what that comes to, `planning.create` starts it; nothing else here
decides anything. What is started is what was shown: the form carries the fingerprint of the plan that it showed.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from batches import planning
from batches.choices import Delivery, Selection
from batches.models import BatchJob
from batches.order_form import OrderForm
from batches.plan import Plan
from batches.planning import PlanChanged, PlanError
from batches.wording import SIMULATED, cost_in_words, known_in_words, time_in_words
from conversations.admin.display import page_link
from conversations.admin.scoping import signed_in, visible
from conversations.choosing import workspaces_of
from conversations.models import Conversation, Workspace

PLAN = "batches_batchjob_plan"


def plan_url(**values: Any) -> str:
    """Where the plan of a batch is shown that takes what the values of the form's fields say."""
    return reverse(f"admin:{PLAN}", query=values or None)


def may_generate(request: HttpRequest) -> bool:
    """Generating costs money: it takes the permission to add a batch."""
    return request.user.has_perm("batches.add_batchjob")


def generate_these(request: HttpRequest, workspace: Workspace, conversations: QuerySet[Conversation]) -> HttpResponse:
    """The page with the plan for conversations that were selected in a list."""
    ids = conversations.order_by("conversation_id").values_list("conversation_id", flat=True)
    chosen = {"selection": Selection.CHOSEN.value, "chosen": "\n".join(ids), "workspace": workspace.pk}
    form = _form(request, {**_defaults(request), **chosen})
    return _page(request, form, _proposed(request, form))


def plan_view(request: HttpRequest) -> HttpResponse:
    """The form; with values, in the address or posted, its plan; and the start of that."""
    if not may_generate(request):
        raise PermissionDenied
    given = request.POST if request.method == "POST" else request.GET
    form = _form(request, {**_defaults(request), **given.dict()} if given else None)
    plan = _proposed(request, form)
    if "start" in request.POST and plan and plan.total:
        return _started(request, form, plan)
    return _page(request, form, plan)


def _defaults(request: HttpRequest) -> dict[str, Any]:
    """What the form holds before anybody changes it."""
    form = _form(request, None)
    initial = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    given = {name: value for name, value in initial.items() if value is not None}
    return {**given, "workspace": given["workspace"].pk} if "workspace" in given else given


def _form(request: HttpRequest, data: Any) -> OrderForm:
    workspaces = workspaces_of(request)
    first = workspaces.current or next(iter(workspaces.choices), None)
    return OrderForm(data, workspaces=visible(Workspace.objects.order_by("name")), current=first)


def _proposed(request: HttpRequest, form: OrderForm) -> Plan | None:
    """What a valid form comes to; what is against it is said beside the form."""
    if not form.is_valid():
        return None
    try:
        return planning.propose(form.order(by=signed_in(request)))
    except PlanError as error:
        form.add_error(None, str(error))
        return None


def _started(request: HttpRequest, form: OrderForm, plan: Plan) -> HttpResponse:
    """Start the plan that was shown; when it is another one by now, show that."""
    try:
        job = planning.create(plan.order, agreed=form.cleaned_data["agreed"] or "nothing was shown")
    except PlanChanged as error:
        messages.warning(request, str(error))
        return _page(request, form, plan)
    except PlanError as error:
        form.add_error(None, str(error))
        return _page(request, form, None)
    if job is None:
        return _page(request, form, _proposed(request, form))
    messages.success(request, format_html("The batch is queued: {}.", page_link("batches_batchjob", job.pk, job.name)))
    return HttpResponseRedirect(reverse("admin:batches_batchjob_change", args=[job.pk]))


def _page(request: HttpRequest, form: OrderForm, plan: Plan | None) -> HttpResponse:
    shown = AdminForm(form, form.fieldsets(), {})  # type: ignore[arg-type]
    context = {
        **admin.site.each_context(request),
        "title": "Generate conversations",
        "opts": BatchJob._meta,
        "media": forms.Media(css={"all": ["conversations/admin.css"]}) + shown.media,
        "form": form,
        "adminform": shown,
        "plan": plan,
        "estimates": _estimates(plan) if plan else [],
        "known": known_in_words(plan.estimate.as_json()) if plan else "",
        "simulated": SIMULATED if plan and plan.estimate.simulated else "",
    }
    return TemplateResponse(request, "batches/plan.html", context)


def _estimates(plan: Plan) -> list[dict[str, Any]]:
    """Each delivery's cost and time in words, the one that is ordered marked."""
    estimate = plan.estimate.as_json()
    return [
        {
            "delivery": Delivery(delivery).label,
            "cost": cost_in_words(estimate[delivery]),
            "time": time_in_words(estimate[delivery], delivery),
            "ordered": delivery == plan.order.delivery,
        }
        for delivery in Delivery.values
    ]


class GeneratingListAdmin(admin.ModelAdmin):
    """A list with the button *Generate*, for those who may."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        button = {"generate_url": plan_url()} if may_generate(request) else {}
        return super().changelist_view(request, {**(extra_context or {}), **button})


class PlanningAdmin(GeneratingListAdmin):
    """The pages of batches with *Generate*, and with *Regenerate failed* where a batch has ended with failed ones."""

    def get_urls(self) -> list[URLPattern]:
        return [path("plan/", self.admin_site.admin_view(plan_view), name=PLAN), *super().get_urls()]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        if obj and obj.ended and obj.failed_items and may_generate(request):
            context["retry_url"] = plan_url(selection=Selection.FAILED.value, of_batch=obj.pk)
        return super().render_change_form(request, context, add, change, form_url, obj)
