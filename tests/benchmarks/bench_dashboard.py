"""The dashboard and the coverage page, whole, at 10,000 and at 1,000,000 conversations, under row-level security.

Each size is a workspace with a month's requests beside its conversations: one for each ten, spread over the month.
Sizes take turns, `BENCH_RUNS` times after a warm-up; best, p50 and p95 in milliseconds are printed with a mark where
the bar was missed, and the p50s' ratio. Nothing is asserted. `BENCH_SIZES=10000,200000` chooses the sizes.

The best time is of the page alone; on a machine with other work, the others tell of that too.
"""

import os
import time
from statistics import quantiles

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from conversations.benchmark.seeding import seed
from conversations.models import Workspace
from convgen.models import User
from convgen.tenancy import NOTHING, workspace_scope

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10000,1000000").split(",")]
RUNS = int(os.environ.get("BENCH_RUNS", "50"))
WARM_UPS = 3
BARS = (200.0, 400.0)  # ms: up to 10,000 conversations, and beyond
REQUESTS_PER_CONVERSATION = 0.1  # of this month: conversations are spread over a year
PAGES = ("index", "conversations_coverage", "dashboard_running")

REQUESTS = """
INSERT INTO generation_generationlog (
    id, workspace_id, run_id, attempt, model, request, response, status, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, cost_usd, cache_saving_usd, price_assumed, duration_ms, error_type, error_message, request_id,
    message_batch_id, created_at
)
SELECT gen_random_uuid(), %(workspace)s, gen_random_uuid(), 1, 'claude-sonnet-5-5',
    jsonb_build_object('messages', repeat(md5(number::text), 40)), '{}',
    CASE WHEN number %% 30 = 0 THEN 'failed' ELSE 'succeeded' END, 900, 2000, 0, 0, 0.021, 0, false, 9000, '', '', '',
    '',
    date_trunc('month', now()) + (now() - date_trunc('month', now())) * number / %(requests)s
FROM generate_series(1, %(requests)s) AS number
"""


def test_pages_of_figures_at_volume() -> None:
    clients = {size: _client(_seeded(size)) for size in sorted(SIZES)}
    print(
        f"\n{'milliseconds':28}" + "".join(f"{f'best {size:,}':>16}{'p50':>8}{'p95':>8}{'bar':>6} " for size in clients)
    )
    for page in PAGES:
        times = _measure(clients, reverse(f"admin:{page}"))
        cells = "".join(_cells(size, each) for size, each in times.items())
        middles = [quantiles(each, n=20)[9] for each in times.values()]
        print(f"{page:28}{cells}{middles[-1] / middles[0]:>7.1f}")


def _seeded(size: int) -> Workspace:
    workspace = seed(f"bench-{size}", size)
    values = {"workspace": workspace.pk, "requests": int(size * REQUESTS_PER_CONVERSATION)}
    with workspace_scope(workspace.pk), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(REQUESTS, values)
    with workspace_scope(NOTHING), connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) generation_generationlog")
    return workspace


def _client(workspace: Workspace) -> Client:
    user, _created = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client(headers={"x-workspace": workspace.slug})
    client.force_login(user)
    return client


def _measure(clients: dict[int, Client], url: str) -> dict[int, list[float]]:
    times: dict[int, list[float]] = {size: [] for size in clients}
    for run in range(WARM_UPS + RUNS):
        for size, client in clients.items():
            begun = time.perf_counter()
            assert client.get(url).status_code == 200
            if run >= WARM_UPS:
                times[size].append((time.perf_counter() - begun) * 1000)
    return times


def _cells(size: int, times: list[float]) -> str:
    cuts, bar = quantiles(times, n=20), BARS[size > 10_000]
    return f"{min(times):>16.1f}{cuts[9]:>8.1f}{cuts[18]:>8.1f}{bar:>6.0f}{'✗' if cuts[9] > bar else ' '}"
