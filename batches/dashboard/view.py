"""The dashboard. Each part asks for the permission to see what it counts, and is left out without it."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django_htmx.http import trigger_client_event

from batches.dashboard.charts import Chart, chart
from batches.dashboard.running import running_batches
from batches.wizard.steps import may_generate
from batches.wording import dollars
from conversations.admin.coverage import pairs_shown, tiers_shown
from conversations.admin.links import conversations_url, range_url, requests_url, review_url, simulated_url
from conversations.admin.scoping import sees_several, visible
from conversations.choices import Status
from conversations.choosing import Workspaces, workspaces_of
from conversations.coverage import completion
from conversations.models import Conversation
from conversations.models.conversation_queries import NEWEST
from conversations.tally import BEST, RANGES, Tally, tally
from generation.models import GenerationLog, LogStatus
from generation.spend import Month, Spent, midnight, this_month

CONVERSATIONS, TEMPLATES = "conversations.view_conversation", "conversations.view_prompttemplate"
BATCHES, LOG = "batches.view_batchjob", "generation.view_generationlog"
WEAKEST = 5  # of the review queue
RESTED = "batches-rested"  # the event upon which the figures are shown anew


def dashboard(request: HttpRequest) -> HttpResponse:
    """The page; a person without a workspace is told what to do about it."""
    context = {**admin.site.each_context(request), "title": "Dashboard"}
    if not workspaces_of(request).choices:
        return TemplateResponse(request, "batches/dashboard/nowhere.html", context)
    return TemplateResponse(request, "batches/dashboard/dashboard.html", {**context, **_parts(request)})


def running(request: HttpRequest) -> HttpResponse:
    """The running batches alone, asked for again and again while there is one; in the end the rest is stale too."""
    if not request.user.has_perm(BATCHES):
        raise PermissionDenied
    found = running_batches()
    response = TemplateResponse(request, "batches/dashboard/running.html", {"batches": found})
    return response if found.at_work else trigger_client_event(response, RESTED, {})


def _parts(request: HttpRequest) -> dict[str, Any]:
    may = request.user.has_perm
    parts: dict[str, Any] = {"may_generate": may_generate(request), "everywhere": sees_several()}
    if may(CONVERSATIONS):
        parts |= _conversations(workspaces_of(request))
    if may(TEMPLATES):
        parts |= _plan(request)
    if may(BATCHES):
        parts["batches"] = running_batches()
    if may(LOG):
        parts["spend"] = _spend(this_month(visible(GenerationLog.objects.all())))
    return parts


def _plan(request: HttpRequest) -> dict[str, Any]:
    plan = completion(workspaces_of(request).current)
    return {"plan": plan, "tiers": tiers_shown(request, plan), "pairs": pairs_shown(plan.standing)}


# --- Conversations


@dataclass(frozen=True)
class Counted:
    label: str
    kind: str
    number: int
    url: str


def _conversations(workspaces: Workspaces) -> dict[str, Any]:
    mine = visible(Conversation.objects.all())
    found = tally(mine)
    return {
        "tally": found,
        "statuses": [
            Counted(status.label, status.value, found.by_status[status], conversations_url(status=status))
            for status in Status
        ],
        "quality": _quality(found),
        "waiting": found.by_status[Status.PENDING_REVIEW],
        "weakest": _weakest(workspaces),
        "review_url": review_url(),
        "simulated_url": simulated_url() if mine.filter(simulated=True).exists() else "",
    }


def _weakest(workspaces: Workspaces) -> list[Conversation]:
    """The first of the review queue; of several workspaces, the first of all of theirs, which have each its index."""
    places = [workspaces.current] if workspaces.current else workspaces.choices
    columns = ("conversation_id", "title", "quality_score", "quality_tenths", "created_at", "simulated")
    queues = [Conversation.objects.filter(workspace=each).for_review().only(*columns)[:WEAKEST] for each in places]
    if len(queues) == 1:
        return list(queues[0])
    return list(queues[0].union(*queues[1:], all=True).order_by("quality_tenths", *NEWEST)[:WEAKEST])


def _quality(found: Tally) -> dict[str, Any]:
    """The histogram: a column for each whole number of points."""
    ranges = [
        Counted(_range(lowest), _kind(lowest), number, range_url(lowest))
        for lowest, number in zip(RANGES, found.by_range, strict=True)
    ]
    columns = [(str(lowest), {each.kind: each.number}) for lowest, each in zip(RANGES, ranges, strict=True)]
    return {"ranges": ranges, "chart": chart(columns, slot=40, bar=30)}


def _range(lowest: int) -> str:
    return f"{lowest}.0 to {BEST if lowest == RANGES[-1] else lowest}.{0 if lowest == RANGES[-1] else 9}"


def _kind(lowest: int) -> str:
    """As the list of conversations tells scores apart: weak below 6, good from 8."""
    return "weak" if lowest < 6 else "fair" if lowest < 8 else "good"


# --- What it cost


@dataclass(frozen=True)
class DaySpent:
    label: str
    spent: Spent
    url: str

    @property
    def real(self) -> str:
        return dollars(self.spent.real_usd)

    @property
    def simulated(self) -> str:
        return dollars(self.spent.simulated_usd)


def _spend(month: Month) -> dict[str, Any]:
    return {
        "total": DaySpent(f"{month.begin:%B %Y}", month.total, requests_url(month.begin)),
        "days": [_day(month, day) for day in month.days],
        "chart": _spend_chart(month),
        "success": _per_cent(month.total.success_rate),
        "failed_url": requests_url(month.begin, status__exact=LogStatus.FAILED.value),
    }


def _day(month: Month, day: date) -> DaySpent:
    url = requests_url(midnight(day), midnight(day + timedelta(days=1)))
    return DaySpent(f"{day:%B} {day.day}", month.days[day], url)


def _spend_chart(month: Month) -> Chart:
    """A column for each day of the month, those to come included."""
    _weekday, last = calendar.monthrange(month.begin.year, month.begin.month)
    by_number = {day.day: spent for day, spent in month.days.items()}
    columns = []
    for number in range(1, last + 1):
        spent = by_number.get(number, Spent())
        columns.append((str(number), {"real": spent.real_usd, "simulated": spent.simulated_usd}))
    return chart(columns, slot=14, bar=10)


def _per_cent(share: float | None) -> str:
    """Never 100 % while one failed."""
    if share is None:
        return ""
    return f"{int(share * 1000) / 10:g} %"
