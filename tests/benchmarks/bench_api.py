"""The list of conversations by the API: 50 rows as JSON, at 10,000 conversations.

Each case is measured twice: within this process, without HTTP; and over HTTP, by one client on one connection, from a
web process as `make run` starts it. Token, throttle, workspace, role and JSON are in the figures. Every case runs
`BENCH_RUNS` times after a warm-up; p50 and p95 in milliseconds, this process's share of them that it was at work, the
number of queries and the answer's size are printed, with a mark where p95 missed the bar. The baseline of the same run
is `/api/`, which reads nothing of a workspace. Nothing is asserted of times.

`BENCH_SIZE=200000` chooses the number of conversations.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from conversations.benchmark.seeding import seed
from conversations.choices import Role
from conversations.models import Conversation, Dimension
from convgen.tenancy import NOTHING, workspace_scope
from tests.api_client import api_as
from tests.processes import web

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SIZE = int(os.environ.get("BENCH_SIZE", "10000"))
WARM_UPS = 5
RUNS = int(os.environ.get("BENCH_RUNS", "100"))
BAR = 100.0  # ms, p95
DEEP = 100  # pages
NO_LIMIT = 10_000_000  # requests a minute: counted as ever, and never refused


def test_lists_by_the_api(settings: Any) -> None:
    settings.API_READS_PER_MINUTE = NO_LIMIT
    logging.getLogger("httpx").setLevel(logging.WARNING)
    workspace = seed("bench-api", SIZE)
    with workspace_scope(workspace.pk):
        persona = Dimension.objects.filter(workspace=workspace, kind="persona").earliest("position", "name").name
        one = Conversation.objects.filter(workspace=workspace, status="approved").latest("created_at")
    client = APIClient()  # `Api` would hold each answer against the schema
    client.credentials(**api_as(Role.CURATOR, workspace)._credentials)
    with workspace_scope(NOTHING):
        _report(client, _cases(client, persona, one))


def _cases(client: APIClient, persona: str, one: Conversation) -> Iterator[tuple[str, str]]:
    """What is measured, and its path."""
    lists: dict[str, dict[str, Any]] = {
        "no filter": {},
        "status, tier": {"status": "approved", "tier": "scenario"},
        "two statuses": {"status": ["needs_revision", "approved"]},
        "min_quality": {"min_quality": "7.5"},
        "persona": {"persona": persona},
        "search, frequent": {"search": "budget"},
        "search, rare": {"search": "annuity"},
        "ordering=quality": {"ordering": "quality"},
        "review queue": {"status": "pending_review", "ordering": "quality"},
        "200 rows": {"page_size": "200"},
    }
    for name, filters in lists.items():
        yield name, f"/api/conversations/?{urlencode(filters, doseq=True)}"
    yield "/api/ (baseline)", "/api/"
    path = "/api/conversations/"
    for _page in range(min(DEEP, SIZE // 50) - 1):
        path = client.get(path).json()["next"].removeprefix("http://testserver")
    yield f"page {DEEP}", path
    yield "one conversation", f"/api/conversations/{one.pk}/"


def _report(client: APIClient, cases: Iterator[tuple[str, str]]) -> None:
    print(f"\n{SIZE:,} conversations{'within the process':>26}{'over HTTP':>18}")
    print(
        f"{'milliseconds':22}{'p50':>8}{'p95':>8}{'CPU':>6}{'p50':>10}{'p95':>8}{'queries':>9}{'bytes':>9}{'rows':>6}"
    )
    headers = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in client._credentials.items()}
    with (
        web(API_READS_PER_MINUTE=str(NO_LIMIT)) as address,
        httpx.Client(base_url=address, headers=headers) as http,
    ):
        for name, path in cases:
            *inside, at_work = _times(lambda path=path: client.get(path).content)
            *outside, _waiting = _times(lambda path=path: http.get(path).raise_for_status())
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(path)
            rows = len(answer.json().get("results", [0]))
            print(
                f"{name:22}{inside[0]:>8.1f}{inside[1]:>8.1f}{at_work:>6.1f}{outside[0]:>10.1f}{outside[1]:>8.1f}"
                f"{len(captured):>9}{len(answer.content):>9,}{rows:>6}{' ✗' if outside[1] > BAR else ''}"
            )


def _times(run: Callable[[], Any]) -> tuple[float, float, float]:
    """p50 and p95, and the median of the CPU's time of this process, in milliseconds."""
    measured, at_work = [], []
    for number in range(WARM_UPS + RUNS):
        begun, worked = time.perf_counter(), time.process_time()
        run()
        if number >= WARM_UPS:
            measured.append((time.perf_counter() - begun) * 1000)
            at_work.append((time.process_time() - worked) * 1000)
    cuts = quantiles(measured, n=20)
    return cuts[9], cuts[18], median(at_work)
