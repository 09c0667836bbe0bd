"""The list of conversations in the admin, whole: queries, filters and HTML, at 10,000 and 1,000,000 conversations.

Each page is asked for within this process, `BENCH_RUNS` times after a warm-up; sizes take turns, so that a busy machine
is busy for both. The quickest, p50 and p95 in milliseconds by size are printed, the p50s' ratio, and the number of
queries, with a mark where the p50 missed the bar. Nothing is asserted of times.

`BENCH_SIZES=10000,200000` chooses the numbers of conversations.
"""

import os
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from conversations.benchmark.seeding import seed
from conversations.models import Dimension, PromptTemplate, Workspace
from convgen.models import User
from convgen.tenancy import EVERY, NOTHING, workspace_scope

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10000,1000000").split(",")]
RUNS = int(os.environ.get("BENCH_RUNS", "20"))
WARM_UPS = 2
FEW, BAR, BAR_OF_MANY = 10_000, 200.0, 400.0  # ms, p50: up to `FEW` conversations, and beyond

CASES: dict[str, dict[str, Any]] = {
    "no filter": {},
    "page 100": {"p": 100},
    "status": {"status__exact": "failed"},
    "tier": {"tier__exact": "scenario"},
    "tier and status": {"tier__exact": "edge_case", "status__exact": "archived"},
    "simulated": {"simulated__exact": "1"},
    "not simulated": {"simulated__exact": "0"},
    "weak": {"quality": "weak"},
    "not scored": {"quality": "none"},
    "quality from–to": {"quality_from": "9", "quality_to": "9.2"},
    "today": {"created": "today"},
    "this month": {"created": "month"},
    "search, frequent": {"q": "budget"},
    "search, rare": {"q": "annuity"},
    "search and filters": {"q": "budget", "tier__exact": "scenario", "status__exact": "approved"},
    "by id": {"o": "1"},
    "by status": {"o": "3"},
    "weakest first": {"o": "4"},
    "best first": {"o": "-4"},
    "by tier": {"o": "5"},
    "oldest first": {"o": "7"},
    "review queue": {"status__exact": "pending_review", "o": "4"},
}


def test_the_list_in_the_admin() -> None:
    workspaces = {size: seed(f"bench-list-{size}", size) for size in sorted(SIZES)}
    with workspace_scope(NOTHING):
        report(workspaces)


def report(workspaces: Mapping[int, Workspace]) -> None:
    """Measure and print. The workspaces are those of the sizes."""
    clients = {size: _browser(workspace) for size, workspace in workspaces.items()}
    pages = {size: dict(_pages(workspace)) for size, workspace in workspaces.items()}
    heads = [f"{size:>12,}: best{'p50':>8}{'p95':>8}{'queries':>9}" for size in workspaces]
    print(f"\n{'milliseconds':24}{''.join(heads)}   ratio")
    for name in next(iter(pages.values())):
        times: dict[int, list[float]] = {size: [] for size in workspaces}
        for run in range(WARM_UPS + RUNS):
            for size, client in clients.items():
                elapsed = _milliseconds(client, pages[size][name])
                if run >= WARM_UPS:
                    times[size].append(elapsed)
        print(_line(name, times, {size: _queries(clients[size], pages[size][name]) for size in workspaces}))


def _pages(workspace: Workspace) -> Iterator[tuple[str, str]]:
    path = reverse("admin:conversations_conversation_changelist")
    day = timezone.localdate() - timedelta(days=200)
    cases = {**CASES, "a day of last spring": {"created_from": day, "created_to": day}, **dict(_by_rows(workspace))}
    for name, filters in cases.items():
        yield name, f"{path}?{urlencode(filters)}"


def _by_rows(workspace: Workspace) -> Iterator[tuple[str, dict[str, Any]]]:
    """By what the workspace has: the value most used, and the one that one of a thousand has, from long ago."""
    with workspace_scope(workspace.pk):
        for kind in ("persona", "emotion", "topic", "intent", "tone"):
            named = Dimension.objects.filter(workspace=workspace, kind=kind).order_by("position", "name")
            first, *_others, last = named.values_list("name", flat=True)
            yield f"{kind}, common", {kind: first}
            yield f"{kind}, retired", {kind: last}
        template = PromptTemplate.objects.filter(workspace=workspace).latest("name")
        yield "template, rare", {"template__id__exact": template.pk}


def _browser(workspace: Workspace) -> Client:
    with workspace_scope(EVERY):
        user, _created = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
        client = Client(headers={"x-workspace": workspace.slug})
        client.force_login(user)
    return client


def _milliseconds(client: Client, url: str) -> float:
    begun = time.perf_counter()
    answer = client.get(url)
    elapsed = (time.perf_counter() - begun) * 1000
    assert answer.status_code == 200, url
    return elapsed


def _queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    return len(captured)


def _line(name: str, times: Mapping[int, list[float]], queries: Mapping[int, int]) -> str:
    told, halves = f"{name:24}", []
    for size, measured in times.items():
        cuts = quantiles(measured, n=20)
        mark = "✗" if cuts[9] > (BAR if size <= FEW else BAR_OF_MANY) else " "
        told += f"{min(measured):>18.0f}{cuts[9]:>8.0f}{cuts[18]:>8.0f}{queries[size]:>8}{mark}"
        halves.append(cuts[9])
    return f"{told}{halves[-1] / halves[0]:>8.2f}"
