"""Step three: the last question, and the start. What is started is what was shown.

The forms of the second and third step carry the fingerprint of the plan that they show. When it is another one by now,
the new plan is shown first.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from batches import planning
from batches.plan import Plan
from batches.planning import PlanChanged, PlanError
from batches.wizard import preview
from batches.wizard.order_form import OrderForm, form_for
from batches.wizard.steps import Step, job_url, may_generate, page_of, plan_url, refuse_unless
from batches.wording import as_written, dollars

NOTHING_SHOWN = "nothing was shown"  # no plan has this fingerprint


def view(request: HttpRequest) -> HttpResponse:
    """What will happen, and what it costs at most; with *Start generation*."""
    return _on_plan(request, _question)


def start(request: HttpRequest) -> HttpResponse:
    """Start the plan that was shown, and go on to its progress."""
    return _on_plan(request, _started)


def _on_plan(request: HttpRequest, then: Callable[[HttpRequest, OrderForm, Plan], HttpResponse]) -> HttpResponse:
    """What `then` makes of what was posted and its plan as things are; a step before, where nothing is planned."""
    refuse_unless(may_generate(request))
    if request.method != "POST":
        return HttpResponseRedirect(plan_url(**request.GET.dict()))
    form = form_for(request, request.POST.dict())
    plan = preview.proposed(request, form)
    if plan is None or not plan.total:
        return preview.page(request, form, plan)
    return then(request, form, plan)


def _question(request: HttpRequest, form: OrderForm, plan: Plan) -> HttpResponse:
    if form.cleaned_data["agreed"] != plan.fingerprint:
        return preview.page(request, form, plan, changed=str(PlanChanged()))
    shown = {**preview.of(form, plan), "at_most": _at_most(plan)}
    context = page_of(request, Step.CONFIRM, "Start generation?", shown)
    return TemplateResponse(request, "batches/wizard/confirm.html", context)


def _started(request: HttpRequest, form: OrderForm, plan: Plan) -> HttpResponse:
    try:
        job = planning.create(plan.order, agreed=form.cleaned_data["agreed"] or NOTHING_SHOWN)
    except PlanChanged as error:  # meanwhile: somebody else's batch may have just taken them
        return preview.page(request, form, preview.proposed(request, form), changed=str(error))
    except PlanError as error:
        form.add_error(None, str(error))
        return preview.page(request, form, None)
    if job is None:
        return preview.page(request, form, preview.proposed(request, form))
    return HttpResponseRedirect(job_url("progress", job, changed="yes"))


def _at_most(plan: Plan) -> str:
    """What keeps the cost from growing, in a sentence."""
    budget = plan.order.budget_usd
    if budget is not None:
        return f"It pauses before it would cost more than your budget of {as_written(budget)}."
    if not plan.usd.high:
        return "It costs nothing."
    return f"By the estimate it costs {dollars(plan.usd.high)} at most. No budget stops it there."
