"""Step two: what would be generated, what that will probably cost, and how it would be done, in words."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from batches import planning
from batches.choices import Delivery, ErrorHandling, TierFilter
from batches.plan import Plan
from batches.planning import Order, PlanError
from batches.wizard import configure
from batches.wizard.order_form import SELECTIONS, OrderForm, form_for
from batches.wizard.steps import Step, may_generate, page_of, plan_url, refuse_unless
from batches.wording import as_written, conversations, cost_in_words, dollars, duration, known_in_words, time_in_words
from conversations.admin.scoping import signed_in
from generation.configuration import overrides_in_words


def view(request: HttpRequest) -> HttpResponse:
    """The plan of what the first step holds; where something is amiss with it, that step again."""
    refuse_unless(may_generate(request))
    if request.method != "POST":
        return HttpResponseRedirect(plan_url(**request.GET.dict()))
    form = form_for(request, request.POST.dict())
    return page(request, form, proposed(request, form))


def proposed(request: HttpRequest, form: OrderForm) -> Plan | None:
    """What a valid form comes to; what is against it is said in the form."""
    if not form.is_valid():
        return None
    try:
        return planning.propose(form.order(by=signed_in(request)))
    except PlanError as error:
        form.add_error(None, str(error))
        return None


def page(request: HttpRequest, form: OrderForm, plan: Plan | None, *, changed: str = "") -> HttpResponse:
    """The plan; `changed` says why it is shown once more."""
    if plan is None:
        return configure.page(request, form)
    shown = {**of(form, plan), "changed": changed}
    title = "What will be generated" if plan.total else "Nothing to generate"
    return TemplateResponse(request, "batches/wizard/preview.html", page_of(request, Step.PREVIEW, title, shown))


def of(form: OrderForm, plan: Plan) -> dict[str, Any]:
    """What pages show of a plan."""
    deliveries = _deliveries(plan)
    return {
        "form": form,
        "plan": plan,
        "number": conversations(plan.total),
        "deliveries": deliveries,
        "ordered": next(each for each in deliveries if each["ordered"]),
        "known": known_in_words(plan.estimate.as_json()),
        "review": _review(plan.order),
    }


def _deliveries(plan: Plan) -> list[dict[str, Any]]:
    """Each delivery's cost and time in words, the one that is ordered marked."""
    estimate = plan.estimate.as_json()
    return [
        {
            "value": delivery,
            "label": delivery.capitalize(),
            "cost": cost_in_words(estimate[delivery]),
            "cost_likely": dollars(estimate[delivery]["cost_usd"]["likely"]),
            "time_likely": _likely_time(plan, delivery),
            "time": time_in_words(estimate[delivery], delivery),
            "ordered": delivery == plan.order.delivery,
        }
        for delivery in Delivery.values
    ]


def _likely_time(plan: Plan, delivery: str) -> str:
    return "within a day" if delivery == Delivery.ECONOMY else duration(plan.estimate.live_seconds.likely)


def _review(order: Order) -> list[tuple[str, str]]:
    """How it would be done, line by line."""
    budget = order.budget_usd
    told = [
        ("Generates", f"{dict(SELECTIONS)[order.selection]}, {TierFilter(order.tier).label.lower()}"),
        ("At the same time", _at_once(order)),
        ("If one fails", ErrorHandling(order.error_handling).label),
        ("Budget", "no limit" if budget is None else f"{as_written(budget)}; it pauses before it would cost more"),
        ("Claude’s settings", overrides_in_words(order.overrides) or "those of the templates and the workspace"),
        ("Values for all", ", ".join(f"{name} = {value}" for name, value in order.shared_parameters.items())),
        ("Tries for each", str(order.max_attempts or "")),
        ("Priority", "" if order.priority == "normal" else order.priority),
    ]
    return [(name, words) for name, words in told if words]


def _at_once(order: Order) -> str:
    if order.delivery == Delivery.ECONOMY:
        return "as many as Claude takes up: economy sends all of them together"
    return conversations(order.concurrency)
