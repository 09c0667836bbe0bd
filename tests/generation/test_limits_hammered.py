"""Four processes hammer the limits at once. What counts is what reaches the server, and when.

The window is kept a second longer than promised, as in real life; it is 3 s here. The figures of whole minutes come
from `tests/benchmarks/bench_limits.py`.
"""

import time
from collections.abc import Callable

import pytest
from django.db import connection

from generation.models import RateGrant, RateWaiter
from tests.generation.hammer import Hammers, Load, hammering
from tests.generation.recording_server import Event, Recorder, most_in_any, recording
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

WINDOW, PROMISED = 3.0, 2.0  # seconds
MINUTES = 3  # windows that are watched
PATIENCE = 1.0  # seconds


def _hammer(recorder: Recorder, *loads: Load, until: Callable[[float], bool]) -> Hammers:
    with recording(recorder), hammering(recorder.url, *loads, database=connection.settings_dict["NAME"]) as hammers:
        hammers.begin()
        begun = time.monotonic()
        while not until(time.monotonic() - begun):
            time.sleep(0.05)
        hammers.stop()
    return hammers


def _over(seconds: float) -> bool:
    return seconds >= MINUTES * WINDOW - 0.5  # between two bursts


def _granted() -> list[Event]:
    """When each request was to be sent, by the database's clock."""
    return [(at.timestamp(), 1) for at in RateGrant.objects.values_list("at", flat=True)]


def _used(events: list[Event], limit: int) -> float:
    """The share of what the limit would have allowed."""
    return sum(amount for _at, amount in events) / (MINUTES * limit)


def test_requests_never_pass_the_limit_in_any_window_and_are_shared_fairly() -> None:
    recorder = Recorder()
    load = Load(60, window=WINDOW, patience=PATIENCE, at_once=15)
    hammers = _hammer(recorder, *[load] * 4, until=_over)
    assert most_in_any(PROMISED, recorder.requests) <= 60
    assert most_in_any(WINDOW - 0.001, _granted()) <= 60, "no window that was granted holds more, to the millisecond"
    assert _used(recorder.requests, 60) > 0.5, "and most of it is used, on a busy machine, too"
    assert len(recorder.by_asker()) == 4
    assert recorder.fairness(after=PROMISED) <= 1.2, "once they wait; what was free at first went to the quickest"
    assert max(hammers.paused_after) < 2
    assert not RateWaiter.objects.exists(), "whoever gives up leaves the queue"
    assert RateGrant.objects.filter(settled=True).count() == 0, "without a limit of tokens, nothing more is told"


def test_tokens_never_pass_their_limits_in_any_window_and_are_shared_fairly() -> None:
    recorder = Recorder(most_input=1_000, most_output=500)
    load = Load(10_000, input=40_000, output=20_000, window=WINDOW, patience=PATIENCE, at_once=10)
    hammers = _hammer(recorder, *[load] * 4, until=_over)
    assert most_in_any(PROMISED, recorder.input) <= 40_000
    assert most_in_any(PROMISED, recorder.output) <= 20_000
    assert _used(recorder.output, 20_000) > 0.5, "most of it is used"
    assert len(recorder.by_asker()) == 4
    assert recorder.fairness(after=PROMISED) <= 1.5, "of some twenty requests each, which differ in size"
    assert max(hammers.paused_after) < 2


def test_high_priority_goes_first_and_when_its_process_is_killed_the_others_go_on() -> None:
    recorder = Recorder()
    low = Load(60, window=WINDOW, patience=PATIENCE, priority="low")
    high = Load(60, window=WINDOW, patience=PATIENCE, priority="high", at_once=20)
    loads = (low, low, low, high)
    with recording(recorder), hammering(recorder.url, *loads, database=connection.settings_dict["NAME"]) as hammers:
        hammers.begin()
        eventually(lambda: len(recorder.requests) >= 150, seconds=30)
        assert recorder.by_asker()["hammer 3"] > 90  # all but what was free at first, and what a dip of its own left
        hammers.processes.pop().kill()
        before = recorder.by_asker()
        eventually(lambda: (recorder.by_asker() - before).total() >= 60, seconds=2 * WINDOW + 5)
        hammers.stop()
