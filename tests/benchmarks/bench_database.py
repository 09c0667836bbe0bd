"""Lists at 10,000 and at 1,000,000 conversations, as the application's role, under row-level security.

Each size is a workspace, measured in its own scope; they lie side by side in the same tables. Every case runs
`BENCH_RUNS` times after a warm-up; p50 and p95 in milliseconds, the p50s' ratio and the indexes of EXPLAIN are printed,
with a mark where a bar was missed. Nothing is asserted.

`BENCH_SIZES=10000,200000` chooses the sizes.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import quantiles
from typing import Any
from uuid import UUID

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from batches.models import BatchItem, BatchJob, ItemStatus
from conversations.admin.counting import CappedPaginator
from conversations.benchmark.seeding import seed
from conversations.choices import Status, Tier
from conversations.coverage import gaps, standing
from conversations.models import Conversation, Dimension, PromptTemplate, Workspace
from convgen.models import User
from convgen.tenancy import workspace_scope

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10000,1000000").split(",")]
WARM_UPS = 3
RUNS = int(os.environ.get("BENCH_RUNS", "50"))
PAGE = 50  # rows
FLAT = 2.0  # the bar for the p50 of the largest size ÷ that of the smallest
LIST_BARS = (100.0, 150.0)  # ms: up to 10,000 conversations, and beyond
POLL_BARS = (20.0, 20.0)
PAGE_BARS = (200.0, 200.0)

# What `conversations/benchmark/vocabulary.py` makes of these words: how many conversations say them.
SEARCHES = {
    "all": "money",
    "10 %": "budget",
    "0.1 %": "annuity",
    "one": "case7 ",  # the space ends the word: without it, it is the beginning of many
    "old, 11 %": "case7",  # none of them among the newest
    "none": "zeppelin",
    "beginning": "annui",
    "two words": "money annuity",
    "without": "budget -money",
    "readable id": "TPL-0007",
}

Query = Callable[[], QuerySet[Any]]


@dataclass
class Case:
    name: str
    run: Callable[[], Any]
    query: Query | None = None  # what EXPLAIN is asked about
    bars: tuple[float, float] = LIST_BARS
    times: dict[int, list[float]] = field(default_factory=dict)  # ms by size
    index: str = ""


def _list(name: str, query: Query) -> Case:
    """The first page of a list."""
    return Case(name, lambda: list(query()[:PAGE]), lambda: query()[:PAGE])


def cases(workspace: Workspace, jobs: dict[str, BatchJob]) -> Iterator[Case]:
    """What is measured in a workspace, one line each."""
    mine = Conversation.objects.filter(workspace=workspace).defer("quality_metrics", "parameters", "review_history")
    newest = mine.order_by("-created_at", "-id")
    now = timezone.now()

    yield _list("the list", lambda: newest)
    yield _list("page 100", lambda: newest[99 * PAGE :])
    yield _list("all workspaces", lambda: Conversation.objects.order_by("-created_at", "-id"))
    for status in (Status.APPROVED, Status.ARCHIVED, Status.FAILED, Status.GENERATING):
        yield _list(f"status {status}", lambda status=status: newest.filter(status=status))
    yield _list("two statuses", lambda: newest.filter(status__in=[Status.NEEDS_REVISION, Status.GENERATING]))
    yield _list("tier", lambda: newest.filter(tier=Tier.SCENARIO))
    for kind, common, retired in _dimensions(workspace):
        yield _list(f"{kind}, common", lambda kind=kind, value=common: newest.filter(**{kind: value}))
        yield _list(f"{kind}, retired", lambda kind=kind, value=retired: newest.filter(**{kind: value}))
    first, *_others, last = PromptTemplate.objects.filter(workspace=workspace).order_by("name")
    yield _list("template, common", lambda: newest.filter(template=first))
    yield _list("template, rare", lambda: newest.filter(template=last))
    yield _list("simulated", lambda: newest.filter(simulated=True))
    yield _list("not simulated", lambda: newest.filter(simulated=False))
    yield _list("quality below 6", lambda: newest.scored(below=6))
    yield _list("quality below 1", lambda: newest.scored(below=1))
    yield _list("not scored", lambda: newest.filter(quality_tenths__isnull=True))
    yield _list("a day of last spring", lambda: newest.filter(created_at__range=_day(now)))
    for name, job in jobs.items():
        items = BatchItem.objects.filter(job=job).values("conversation")
        yield _list(f"batch of {name}", lambda items=items: newest.filter(pk__in=items))

    approved = newest.filter(status=Status.APPROVED)
    yield _list("approved, quality below 5", lambda: approved.scored(below=5))
    yield _list("tier and status", lambda: newest.filter(tier=Tier.EDGE_CASE, status=Status.ARCHIVED))
    yield _list("tier, status, last month", lambda: approved.filter(tier="scenario", created_at__gte=_month(now)))
    _kind, persona, retired = next(_dimensions(workspace))
    yield _list("approved, retired persona", lambda: approved.filter(persona=retired))
    yield _list("failed, common persona", lambda: newest.filter(status=Status.FAILED, persona=persona))

    yield _list("weakest first", lambda: mine.order_by("quality_tenths", "created_at", "id"))
    yield _list("best first", lambda: mine.order_by("-quality_tenths", "-created_at", "-id"))
    yield _list("by status", lambda: mine.order_by("status", "created_at", "id"))
    yield _list("by tier", lambda: mine.order_by("tier", "created_at", "id"))
    yield _list("by persona", lambda: mine.order_by("persona", "created_at", "id"))
    yield _list("by readable id", lambda: mine.order_by("conversation_id"))
    yield _list("review queue", lambda: mine.for_review())

    for name, text in SEARCHES.items():
        yield _list(f"search: {name}", lambda text=text: newest.matching(text))
    yield _list("search 10 %, tier, status", lambda: approved.filter(tier=Tier.SCENARIO).matching("budget"))

    yield Case("coverage", lambda: standing(workspace))
    yield Case("gaps of the plan", lambda: gaps(workspace))
    yield _count("count of the list", lambda: newest)
    yield _count("count of a retired persona", lambda: newest.filter(persona=retired))
    yield _count("count of drafts", lambda: newest.filter(status=Status.DRAFT))
    yield _poll(mine)
    yield from _pages(workspace)


def _count(name: str, query: Query) -> Case:
    """The count beneath a list, as far as it goes."""
    return Case(name, lambda: CappedPaginator(query(), PAGE).count, lambda: query().order_by()[:10_001])


def _poll(mine: QuerySet[Conversation]) -> Case:
    middle = mine.order_by("-created_at", "-id")[100].pk
    one = Conversation.objects.filter(pk=middle).values("status", "claim_expires_at", "updated_at")
    return Case("status poll", one.get, lambda: one, POLL_BARS)


def _pages(workspace: Workspace) -> Iterator[Case]:
    """The changelist, whole: queries, filters and HTML."""
    user, _created = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client(headers={"x-workspace": workspace.slug})
    client.force_login(user)
    _kind, _common, retired = next(_dimensions(workspace))
    for name, filters in {"": {}, ", failed": {"status__exact": "failed"}, ", retired": {"persona": retired}}.items():
        url = reverse("admin:conversations_conversation_changelist", query=filters)
        yield Case(f"changelist page{name}", lambda url=url: client.get(url).content, bars=PAGE_BARS)


def _dimensions(workspace: Workspace) -> Iterator[tuple[str, str, str]]:
    """Of each kind, the value most used, and the one that occurs in one of a thousand, long ago."""
    for kind in ("persona", "emotion", "topic", "intent", "tone"):
        names = Dimension.objects.filter(workspace=workspace, kind=kind).order_by("position", "name")
        first, *_others, last = names.values_list("name", flat=True)
        yield kind, first, last


def _day(now: Any) -> tuple[Any, Any]:
    return now - timedelta(days=200), now - timedelta(days=199)


def _month(now: Any) -> Any:
    return now - timedelta(days=30)


def test_lists_at_volume() -> None:
    _report(_measure())


def _measure() -> list[Case]:
    """The cases, with the times of each size. Sizes take turns, so that a busy machine is busy for all of them."""
    workspaces = {size: _seeded(f"bench-{size}", size) for size in sorted(SIZES)}
    by_size = [_cases(size, workspace) for size, workspace in workspaces.items()]
    measured = []
    for same in zip(*by_size, strict=True):
        for run in range(WARM_UPS + RUNS):
            for (size, workspace), case in zip(workspaces.items(), same, strict=True):
                with workspace_scope(workspace.pk):
                    elapsed = _milliseconds(case.run)
                if run >= WARM_UPS:
                    same[-1].times.setdefault(size, []).append(elapsed)
        with workspace_scope(workspace.pk):
            same[-1].index = _index(same[-1].query()) if same[-1].query else "–"
        measured.append(same[-1])
    return measured


def _cases(size: int, workspace: Workspace) -> list[Case]:
    with workspace_scope(workspace.pk):
        return list(cases(workspace, _jobs(workspace)))


def _milliseconds(run: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    run()
    return (time.perf_counter() - begun) * 1000


def _seeded(slug: str, count: int) -> Workspace:
    begun = time.monotonic()
    workspace = seed(slug, count)
    print(f"\n{count:,} conversations seeded in {time.monotonic() - begun:.0f} s")
    return workspace


def _jobs(workspace: Workspace) -> dict[str, BatchJob]:
    """A small batch and a large one, of the oldest conversations."""
    oldest = Conversation.objects.filter(workspace=workspace).order_by("created_at", "id").values_list("pk", flat=True)
    return {f"{count:,}": _job(workspace, list(oldest[:count])) for count in (90, 1000)}


def _job(workspace: Workspace, conversations: list[UUID]) -> BatchJob:
    job = BatchJob.objects.create(workspace=workspace, name=f"{len(conversations)}", model="m")
    BatchItem.objects.bulk_create(
        BatchItem(workspace=workspace, job=job, conversation_id=pk, position=place, status=ItemStatus.COMPLETED)
        for place, pk in enumerate(conversations, start=1)
    )
    return job


def _index(query: QuerySet[Any]) -> str:
    """The indexes of a query's plan, and whether it reads a whole table."""
    found = []
    plans = [json.loads(query.explain(format="json"))[0]["Plan"]]
    while plans:
        plan = plans.pop(0)
        plans += plan.get("Plans", [])
        found += [plan["Index Name"]] if "Index Name" in plan else []
        found += [f"SCAN of {plan['Relation Name']}"] if plan["Node Type"] == "Seq Scan" else []
    return ", ".join(found)


def _report(measured: list[Case]) -> None:
    smallest, largest = min(SIZES), max(SIZES)
    heads = "".join(f"{f'p50 {size:,}':>16}{'p95':>8}{'bar':>6} " for size in sorted(SIZES))
    print(f"\n{'milliseconds':28}{heads}{'ratio':>7}   index at the largest size")
    for case in measured:
        cells = "".join(_cells(case, size) for size in sorted(SIZES))
        ratio = _middle_and_95(case.times[largest])[0] / _middle_and_95(case.times[smallest])[0]
        print(f"{case.name:28}{cells}{ratio:>6.1f}{_mark(ratio > FLAT)}   {case.index}")


def _cells(case: Case, size: int) -> str:
    middle, slow = _middle_and_95(case.times[size])
    bar = case.bars[size > 10_000]
    return f"{middle:>16.1f}{slow:>8.1f}{bar:>6.0f}{_mark(slow > bar)}"


def _middle_and_95(times: list[float]) -> tuple[float, float]:
    cuts = quantiles(times, n=20)
    return cuts[9], cuts[18]


def _mark(missed: bool) -> str:
    return "✗" if missed else " "
