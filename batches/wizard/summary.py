"""Step five: what came of a batch, and what to do next."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from batches.choices import JobStatus, Selection
from batches.models import BatchJob
from batches.summary import HISTOGRAM, Scores, Summary, summarize
from batches.wizard.steps import Step, job_of, job_url, may_generate, page_of, plan_url
from batches.wording import comparison_in_words, conversations, dollars, duration
from conversations.choices import Tier
from convgen.dialogs import Level
from generation.pricing import saved_by_cache

TALLEST = 72  # of a column of the histogram, in the drawing's units
APART = 80  # from one column to the next
RANGES = {"<4": "below 4", "<6": "4 to 6", "<8": "6 to 8", "8+": "8 and above"}
KINDS = {"<4": "weak", "<6": "weak", "<8": "fair", "8+": "good"}


@dataclass(frozen=True)
class Column:
    """Of the histogram: how many conversations scored in a range."""

    label: str
    kind: str
    number: int
    x: int
    y: int
    height: int

    @property
    def middle(self) -> int:
        return self.x + APART // 2 - 8

    @property
    def above(self) -> int:
        return self.y - 6


def view(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = job_of(request, job_id)
    if not job.ended:
        return HttpResponseRedirect(job_url("progress", job))
    return page(request, job)


def page(request: HttpRequest, job: BatchJob, **context: Any) -> TemplateResponse:
    """The summary of a batch that has ended."""
    shown = {**page_of(request, Step.SUMMARY, job.name, of(request, job)), **context}
    return TemplateResponse(request, "batches/wizard/summary.html", shown)


def of(request: HttpRequest, job: BatchJob) -> dict[str, Any]:
    """What pages show of what a batch came to, so far."""
    summary = summarize(job)
    words, level = in_short(job)
    compared, scores = summary.against_estimate, summary.all_tiers.scores
    return {
        "job": job,
        "summary": summary,
        "in_short": words,
        "level": level,
        "cost": dollars(job.actual_cost_usd),
        "duration": duration(summary.duration),
        "compared": comparison_in_words(compared) if compared else "",
        "cache": saved_by_cache(summary.cache_saving_usd) if summary.cache_saving_usd else "",
        "tiers": _tiers(summary),
        "columns": columns(scores),
        "width": APART * len(HISTOGRAM),
        "conversations_url": reverse("admin:conversations_conversation_changelist", query={"batch": job.pk}),
        "retry_url": retry_url(request, job),
    }


def in_short(job: BatchJob) -> tuple[str, Level]:
    """The outcome in a sentence, and how good it is."""
    made = conversations(job.successful_items)
    if job.status == JobStatus.CANCELLED:
        return f"Cancelled: {made} generated before that.", "info"
    if job.status == JobStatus.FAILED:
        return f"Stopped: {made} generated before that.", "error"
    if not job.failed_items:
        return f"{made} generated.", "success"
    return f"{made} generated, {job.failed_items} failed.", "warning" if job.successful_items else "error"


def retry_url(request: HttpRequest, job: BatchJob) -> str:
    """Where a new batch begins of what failed in this one; empty when nothing did, or the person may not."""
    if not (job.ended and job.failed_items and may_generate(request)):
        return ""
    return plan_url(selection=Selection.FAILED.value, of_batch=job.pk)


def columns(scores: Scores) -> list[Column]:
    numbers = scores.histogram
    most = max(numbers.values()) or 1
    found = []
    for place, (name, number) in enumerate(numbers.items()):
        height = max(2, TALLEST * number // most)
        found.append(Column(RANGES[name], KINDS[name], number, place * APART + 8, 96 - height, height))
    return found


def _tiers(summary: Summary) -> list[tuple[str, Any]]:
    tiers = [(Tier(tier.tier).label, tier) for tier in summary.tiers]
    return [*tiers, ("All", summary.all_tiers)] if len(tiers) > 1 else tiers
