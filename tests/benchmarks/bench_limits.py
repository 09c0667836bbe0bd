"""The rate limits in real minutes: four processes hammer them, and what reaches the server is counted there.

`BENCH_LIMIT_SECONDS` (130) is how long each load runs. Nothing is asserted. What 429s cost a batch stands in
`bench_engine.py`.
"""

import os
import time

import pytest
from django.db import connection

from generation.limits import WINDOW
from tests.generation.hammer import Load, hammering
from tests.generation.recording_server import Event, Recorder, most_in_any, recording

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SECONDS = float(os.environ.get("BENCH_LIMIT_SECONDS", "130"))
MINUTE = 60.0


def test_sixty_requests_a_minute() -> None:
    recorder = Recorder(latency=0.5)
    _hammer(recorder, Load(60))
    _report("requests", recorder.requests, 60)


def test_tokens_a_minute() -> None:
    recorder = Recorder(latency=2, most_input=1_000, most_output=1_000)
    _hammer(recorder, Load(10_000, input=60_000, output=60_000))
    _report("input tokens", recorder.input, 60_000)
    _report("output tokens", recorder.output, 60_000)


def _hammer(recorder: Recorder, load: Load) -> None:
    with recording(recorder), hammering(recorder.url, *[load] * 4, database=_database()) as hammers:
        hammers.begin()
        time.sleep(SECONDS)
        hammers.stop()
    print(f"\nfour processes for {SECONDS:.0f} s, {load.at_once} requests each at a time")
    print(f"requests by process {sorted(recorder.by_asker().values())}, most ÷ least {recorder.fairness():.3f}")
    print(f"after the signal to stop, the last wait ended in {max(hammers.paused_after):.3f} s")


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _report(what: str, events: list[Event], limit: int) -> None:
    first = min(at for at, _amount in events)
    windows = int(SECONDS // WINDOW)  # whole ones
    total = sum(amount for at, amount in events if at < first + windows * WINDOW)
    allowed = limit * windows
    print(f"{what}: {most_in_any(MINUTE, events):,} in the fullest {MINUTE:.0f} s, of {limit:,}")
    print(f"{what}: {total:,} used of {allowed:,} in {windows * WINDOW:.0f} s, idle share {1 - total / allowed:.3f}")
