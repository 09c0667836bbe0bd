"""Step four: where a batch stands, looked at every two seconds, from its row and the first of its items at Claude."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django_htmx.http import retarget, trigger_client_event

from batches import progress
from batches.choices import HOLDING, Delivery, ItemStatus, JobStatus
from batches.comparison import seconds_of
from batches.models import BatchJob
from batches.wizard import steering, summary
from batches.wizard.steps import Step, job_of, job_url, page_of
from batches.wording import as_written, conversations, dollars, duration
from conversations.coverage.usage import PLANNED
from convgen import dialogs
from convgen.dialogs import changed, leave, toast
from generation.models import RateWaiter

NOBODY_COMES = timedelta(seconds=20)  # a worker that runs takes a batch up within a second
QUARTERS = ("Begun", "A quarter is done", "Half is done", "Three quarters are done", "All are done")
PROGRESS, PAGE = "progress", "page"
OFTEN, SELDOM = "2s", "10s"


@dataclass(frozen=True)
class Now:
    """How a batch that has not ended stands at a moment, in words."""

    job: BatchJob
    at: datetime

    @property
    def percentage(self) -> int:
        return 100 * self.job.completed_items // self.job.total_items if self.job.total_items else 100

    @property
    def quarter(self) -> int:
        """0 to 4: what is read out."""
        return self.percentage // 25

    @property
    def state(self) -> str:
        """Whatever changes the buttons; and is read out."""
        return f"{self.job.status}-{'failed' if self.job.failed_items else 'good'}"

    @property
    def milestone(self) -> str:
        """What is read out, when the quarter or the state has changed."""
        told = {JobStatus.PAUSED: "Paused", JobStatus.QUEUED: "Waiting for its turn"}.get(JobStatus(self.job.status))
        of = f"{self.job.completed_items} of {conversations(self.job.total_items)}"
        return f"{told or QUARTERS[self.quarter]}: {of}."

    @property
    def headline(self) -> str:
        if self.job.status == JobStatus.PAUSED:
            return f"Paused after {self.job.completed_items} of {conversations(self.job.total_items)}"
        if self.job.status == JobStatus.QUEUED:
            return "Waiting for its turn"
        if self.waits_for_worker:
            return progress.NO_WORKER
        if self.job.delivery == Delivery.ECONOMY:
            return f"{self.job.completed_items} of {conversations(self.job.total_items)} have come back"
        place = min(self.job.completed_items + 1, self.job.total_items)
        return f"Generating conversation {place} of {self.job.total_items}"

    @property
    def runs(self) -> bool:
        return self.job.status == JobStatus.PROCESSING

    @property
    def every(self) -> str:
        """How often it is looked at: what is paused, or takes a day, changes seldom."""
        slow = self.job.status == JobStatus.PAUSED or self.job.delivery == Delivery.ECONOMY
        return SELDOM if slow else OFTEN

    @cached_property
    def current(self) -> dict[str, Any] | None:
        """The conversation that Claude has been at longest."""
        if self.job.delivery == Delivery.ECONOMY or not self.runs or not self.job.has_runner:
            return None
        at_claude = self.job.items.filter(status=ItemStatus.PROCESSING).order_by("position")
        columns = [f"conversation__{name}" for name in ("conversation_id", *PLANNED)]
        row: dict[str, Any] | None = at_claude.values(*columns).first()
        return row

    @property
    def about(self) -> str:
        """“Careful saver · Anxious · Building an emergency fund”."""
        words = [self.current[f"conversation__{name}"] for name in PLANNED] if self.current else []
        return " · ".join(word for word in words if word)

    @property
    def elapsed(self) -> str:
        return duration(seconds_of(self.job)) if self.job.started_at else "not begun"

    @property
    def remaining(self) -> str:
        """As the pace of this batch tells, or its estimate while it has none."""
        if self.job.delivery == Delivery.ECONOMY:
            return "within a day"
        left = self.job.estimated_time_remaining
        if left is not None:
            return f"about {duration(left.total_seconds())}"
        foreseen = (self.job.estimate.get(self.job.delivery) or {}).get("seconds")
        return f"about {duration(foreseen['likely'])}" if foreseen else "not known yet"

    @property
    def cost(self) -> str:
        return dollars(self.job.actual_cost_usd)

    @property
    def cost_of(self) -> str:
        """What the cost is held against."""
        if self.job.budget_usd is not None:
            return f"of a budget of {as_written(self.job.budget_usd)}"
        foreseen = (self.job.estimate.get(self.job.delivery) or {}).get("cost_usd")
        return f"of about {dollars(foreseen['likely'])}" if foreseen else ""

    @property
    def simulated(self) -> bool:
        return bool(self.job.estimate.get("simulated"))

    @property
    def waits_for_worker(self) -> bool:
        return self.runs and not self.job.has_runner and self.job.delivery == Delivery.LIVE

    @property
    def waited(self) -> timedelta:
        """Since when nobody works on it."""
        lease = self.job.runner_lease_expires_at
        lost = [lease] if self.job.runner and lease else []  # its worker died
        return max(timedelta(0), self.at - max([self.job.updated_at, *lost]))

    @property
    def nobody_comes(self) -> str:
        """For how long no worker has taken it up, once that is longer than it should be."""
        if not self.waits_for_worker or self.waited < NOBODY_COMES:
            return ""
        return duration(self.waited.total_seconds())

    @cached_property
    def limited(self) -> str:
        """That it waits under the rate limit, and for how long; empty when it does not."""
        if not self.runs or not self.job.status_reason:
            return ""
        mine = RateWaiter.objects.filter(of_workspace=self.job.workspace_id, who=f"Batch “{self.job.name}”"[:250])
        waiter = mine.order_by("until").first()
        if waiter is None:
            return self.job.status_reason
        seconds = max(1, round((waiter.until - self.at).total_seconds()))
        return f"{waiter.get_reason_display()}: it goes on in about {duration(seconds)}, by itself."

    @cached_property
    def at_claude(self) -> int:
        """With economy delivery: requests that Claude has, and has not answered."""
        if self.job.delivery != Delivery.ECONOMY:
            return 0
        held = self.job.message_batches.filter(status__in=HOLDING).aggregate(requests=Sum("requests"))
        return held["requests"] or 0


def view(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The page; of a batch that has ended, its summary."""
    job = job_of(request, job_id)
    if job.ended:
        return HttpResponseRedirect(job_url("summary", job))
    shown = {"job": job, **standing(request, job, in_dialog=dialogs.in_dialog(request))}
    response = TemplateResponse(
        request, "batches/wizard/progress.html", page_of(request, Step.PROGRESS, job.name, shown)
    )
    return _told(response, stale="changed" in request.GET)


def live(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What changes of it; at its end, the summary in its place."""
    job = job_of(request, job_id)
    in_dialog = "dialog" in request.GET
    if job.ended:
        return _ended(request, job, in_dialog=in_dialog)
    shown = standing(request, job, in_dialog=in_dialog, back=request.GET.get("back", PROGRESS))
    return TemplateResponse(request, "batches/wizard/live.html", shown)


def standing(request: HttpRequest, job: BatchJob, *, in_dialog: bool, back: str = PROGRESS) -> dict[str, Any]:
    """What the part that is looked at again and again shows, and how it is asked for.

    `back` is the page that the buttons lead back to: the progress, or the batch's own `page`.
    """
    now = Now(job, timezone.now())
    told = {"state": now.state, "quarter": now.quarter, "back": back, **({"dialog": "yes"} if in_dialog else {})}
    return {
        "job": job,
        "now": now,
        "back": back,
        "steering": steering.possible(request, job),
        "live_url": job_url("live", job, **told),
        "state_changed": request.GET.get("state", now.state) != now.state,
        "milestone": request.GET.get("state", now.state) != now.state
        or request.GET.get("quarter", str(now.quarter)) != str(now.quarter),
    }


def _ended(request: HttpRequest, job: BatchJob, *, in_dialog: bool) -> HttpResponse:
    words, level = summary.in_short(job)
    if not in_dialog:
        getattr(messages, level)(request, words)
        return leave(request, job_url("summary", job))
    response = summary.page(request, job, frame=dialogs.DIALOG)
    response["HX-Reswap"] = "innerHTML show:none"
    level = "success" if level == "success" else "info"  # it goes away by itself: the page says the same, and stays
    return _told(toast(retarget(response, f"#{dialogs.TARGET}"), words, level))


def _told(response: TemplateResponse, *, stale: bool = True) -> TemplateResponse:
    """Have the browser look at the running batches again, and at what is behind the dialog."""
    if not stale:
        return response
    return changed(trigger_client_event(response, "batches-changed", {}))
