"""Lighthouse's scores of the pages that are open most of the day, served as `make run` serves them.

`make lighthouse` prints a table (medians of LIGHTHOUSE_RUNS, 3): a slow phone on slow 4G, as Lighthouse simulates it,
and a desk. It fails under the score, and over the size, that the pages are to hold.
"""

import gzip
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from rich.console import Console
from rich.table import Table

from conversations.models import Workspace
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.browser import CHROMIUM, FLAGS, needs_chromium
from tests.processes import web
from tests.showcase import Showcase, furnish

FOLDER = Path(__file__).parent
LEAST_SCORE = 95
MOST_BYTES = 200_000  # of scripts and style sheets of one page, gzipped
MOST_MILLISECONDS = {"fcp": 1_500, "tti": 5_000}  # on slow 4G
FORMS = ("mobile", "desktop")
RUNS = int(os.environ.get("LIGHTHOUSE_RUNS", "3"))
SHORT = {"performance": "perf", "accessibility": "a11y", "best-practices": "best", "seo": "seo"}

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]


@pytest.fixture
def shown(transactional_db: None, starter: Workspace, claude: SimulatedClaude) -> Showcase:
    return furnish(starter, by=User.objects.create_superuser("admin"))


def pages(shown: Showcase) -> Iterator[tuple[str, str]]:
    """What is measured, with its path. The first is looked at by somebody who has not signed in."""
    yield "login", reverse("admin:login")
    yield "dashboard", reverse("admin:index")
    yield "list", reverse("admin:conversations_conversation_changelist")
    yield "conversation", reverse("admin:conversations_conversation_change", args=[shown.written.pk])
    yield "coverage", reverse("admin:conversations_coverage")
    yield "generate one", reverse("admin:batches_generate_single", query={"from": shown.written.pk})
    yield "wizard", reverse("admin:batches_batchjob_plan", query={"tier": "template", "selection": "gaps"})
    yield "progress", reverse("admin:batches_batchjob_progress", args=[shown.running.pk])
    yield "summary", reverse("admin:batches_batchjob_summary", args=[shown.broken.pk])
    yield "export", reverse("admin:conversations_export_new")
    yield "keyboard", reverse("admin:keyboard")
    yield "batch", reverse("admin:batches_batchjob_change", args=[shown.running.pk])


def test_the_pages_are_as_quick_and_small_as_they_are_to_be(shown: Showcase) -> None:
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    with web() as address:
        wanted = [
            {"name": name, "url": address + path, "cookie": "" if name == "login" else cookie}
            for name, path in pages(shown)
        ]
        rows = summed_up(measured(wanted))
    show(rows)
    assert [complaint for row in rows for complaint in complaints(row)] == []


def measured(wanted: list[dict[str, str]]) -> list[dict[str, Any]]:
    order = {"chrome": CHROMIUM, "flags": FLAGS, "runs": RUNS, "forms": FORMS, "pages": wanted}
    told = json.dumps(order)
    done = subprocess.run(
        ["node", "measure.mjs"], cwd=FOLDER, input=told, text=True, stdout=subprocess.PIPE, check=True
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    astray = {each["shown"] for each in found} - {each["url"] for each in wanted}
    assert astray == set(), f"other pages were measured than wanted: {astray}"
    return [{**each, "bytes": sum(map(gzipped, each["files"]))} for each in found]


def gzipped(address: str) -> int:
    """The bytes that are sent of a file to a browser that knows gzip alone."""
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: bytes = answer.read()
        return len(body) if answer.headers.get("Content-Encoding") == "gzip" else len(gzip.compress(body))


def summed_up(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each page and form: the medians of its runs."""
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in found:
        runs.setdefault((each["name"], each["form"]), []).append(each)
    return [
        {
            "name": name,
            "form": form,
            "scores": {category: median(each["scores"][category] for each in same) for category in SHORT},
            "times": {time: median(each["times"][time] for each in same) for time in same[0]["times"]},
            "bytes": same[0]["bytes"],
            "failed": same[0]["failed"],
        }
        for (name, form), same in runs.items()
    ]


def complaints(row: dict[str, Any]) -> Iterator[str]:
    place = f"{row['name']} ({row['form']})"
    for category, score in row["scores"].items():
        if score < LEAST_SCORE:
            yield f"{place}: {category} {score:.0f}, and not {LEAST_SCORE}. Look at: {', '.join(row['failed'])}"
    for time, most in MOST_MILLISECONDS.items():
        if row["form"] == "mobile" and row["times"][time] > most:
            yield f"{place}: {time.upper()} {row['times'][time]:.0f} ms, and not {most}"
    if row["bytes"] > MOST_BYTES:
        yield f"{place}: {row['bytes']:,} bytes of scripts and style sheets, and not {MOST_BYTES:,}"


def show(rows: list[dict[str, Any]]) -> None:
    heads = ["page", "as", *SHORT.values(), "FCP s", "LCP s", "TTI s", "TBT ms", "CLS", "JS+CSS kB"]
    table = Table(*heads, title=f"Lighthouse, medians of {RUNS}", width=120)
    for row in rows:
        times = row["times"]
        seconds = [f"{times[name] / 1000:.2f}" for name in ("fcp", "lcp", "tti")]
        rest = [f"{times['tbt']:.0f}", f"{times['cls']:.3f}", f"{row['bytes'] / 1000:.1f}"]
        table.add_row(row["name"], row["form"], *(f"{score:.0f}" for score in row["scores"].values()), *seconds, *rest)
    Console(width=130).print(table)
