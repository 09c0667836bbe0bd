"""Asking how far a batch or a conversation is, over real HTTP: the whole answer, and the 304 of who has it already.

A batch of 1,000 items in a workspace of its own; `BENCH_RUNS` requests one after the other on one connection, after a
warm-up, and then from `BENCH_CLIENTS` clients at once. Beside it, as the baseline of the same run, an address that
leads nowhere: what the web server, Django and DRF take by themselves. Nothing is asserted.
"""

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from batches.models import BatchItem, BatchJob
from conversations.models import Conversation
from tests.api_client import api_of
from tests.factories import BatchJobFactory, ConversationFactory, MembershipFactory
from tests.processes import web

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

RUNS = int(os.environ.get("BENCH_RUNS", "300"))
CLIENTS = int(os.environ.get("BENCH_CLIENTS", "8"))
ITEMS = 1_000
UNLIMITED = {f"API_{group}_PER_MINUTE": "1000000" for group in ("READS", "POLLS", "WRITES", "ANONYMOUS")}
BAR = 20.0  # ms, p95


def test_status_polls() -> None:
    logging.getLogger("httpx").setLevel(logging.WARNING)
    membership = MembershipFactory()
    job = BatchJobFactory(workspace=membership.workspace, seconds_per_item=1.5)
    drafts = ConversationFactory.create_batch(ITEMS, workspace=membership.workspace)
    BatchItem.objects.bulk_create(
        BatchItem(workspace=job.workspace, job=job, conversation=draft, position=position)
        for position, draft in enumerate(drafts, start=1)
    )
    BatchJob.objects.filter(pk=job.pk).update(status="processing")
    _row, token = AuthToken.objects.create(membership.user)
    _count_queries(membership.user, job)
    with web(**UNLIMITED) as address, httpx.Client(base_url=address) as client:
        headers = {"Authorization": f"Bearer {token}"}
        path = f"/api/batches/{job.pk}/status/"
        etag = client.get(path, headers=headers).headers["ETag"]

        def ask(sent: dict[str, str], expected: int, where: str = path) -> Callable[[], None]:
            def once() -> None:
                assert client.get(where, headers=sent).status_code == expected

            return once

        nothing = _measure("nothing at that address (baseline)", ask({}, 404, "/api/nothing/"))
        _measure("the status", ask(headers, 200), nothing)
        _measure("304", ask({**headers, "If-None-Match": etag}, 304), nothing)
        written = f"/api/conversations/{_written(job).pk}/status/"
        tag = client.get(written, headers=headers).headers["ETag"]
        _measure("the status of a conversation", ask(headers, 200, written), nothing)
        _measure("304 of it", ask({**headers, "If-None-Match": tag}, 304, written), nothing)
        _measure(f"304, {CLIENTS} at once", ask({**headers, "If-None-Match": etag}, 304), nothing, CLIENTS)


def _written(job: BatchJob) -> Conversation:
    conversation: Conversation = ConversationFactory(workspace=job.workspace, status="generated", turn_count=8)
    return conversation


def _count_queries(user: object, job: BatchJob) -> None:
    client = api_of(user)
    client.get(f"batches/{job.pk}/status/")
    with CaptureQueriesContext(connection) as queries:
        client.get(f"batches/{job.pk}/status/")
    print(f"\n{len(queries)} statements for a status of {ITEMS} items")


def _measure(what: str, ask: Callable[[], None], baseline: float = 0.0, clients: int = 1) -> float:
    """The p50 in milliseconds, printed with the p95 and its ratio to the baseline."""
    for _ in range(20):
        ask()

    def timed(_run: int) -> float:
        begun = time.perf_counter()
        ask()
        return (time.perf_counter() - begun) * 1000

    with ThreadPoolExecutor(clients) as pool:
        figures = list(pool.map(timed, range(RUNS)))
    cuts = quantiles(figures, n=100)
    p50, p95 = cuts[49], cuts[94]
    ratio = f", {p50 / baseline:.1f} × the baseline" if baseline else ""
    mark = "  ← above the bar of 20 ms" if p95 > BAR and clients == 1 else ""
    print(f"{what}: p50 {p50:.1f} ms, p95 {p95:.1f} ms{ratio}{mark}")
    return p50
