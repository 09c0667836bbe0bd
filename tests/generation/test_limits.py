"""The request limit: never more than so many in any window, whoever asks, first come first served."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.models import F
from django.utils import timezone

from convgen.database.threads import DatabaseThreads
from generation.endpoint import Endpoint, endpoint
from generation.limits import PATIENCE, WINDOW, RequestLimit
from generation.models import RateGrant

pytestmark = pytest.mark.django_db(transaction=True)


def acquire(
    key: str, wanted: int = 1, *, per_window: int = 5, window: float = 0.4, max_wait: float = 60.0
) -> list[float]:
    """Ask the SQL function itself; times in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rate_acquire(%s, %s, %s, %s * interval '1 second', %s * interval '1 second')",
            [key, wanted, per_window, window, max_wait],
        )
        delays: list[float] = cursor.fetchone()[0]
        return delays


def sent_at(key: str) -> list[float]:
    return [at.timestamp() for at in RateGrant.objects.filter(key=key).order_by("id").values_list("at", flat=True)]


def assert_no_window_holds_more(times: list[float], *, per_window: int, window: float) -> None:
    ordered = sorted(times)
    for first, beyond in zip(ordered, ordered[per_window:], strict=False):
        assert beyond - first >= window - 1e-6


def test_the_first_ones_may_go_at_once_and_the_next_when_the_window_has_room() -> None:
    delays = [acquire("a", per_window=3, window=10)[0] for _ in range(5)]
    assert delays[:3] == [0, 0, 0]
    assert 9.5 < delays[3] <= delays[4] + 0.5 <= 10.5


def test_several_are_granted_in_one_ask_each_with_its_own_delay() -> None:
    delays = acquire("a", 7, per_window=3, window=10)
    assert delays == [0, 0, 0, 10, 10, 10, 20]


def test_as_many_are_granted_as_can_go_in_time() -> None:
    assert acquire("a", 7, per_window=3, window=10, max_wait=12) == [0, 0, 0, 10, 10, 10]
    assert RateGrant.objects.count() == 6


def test_where_not_one_can_go_in_time_nothing_is_granted_and_the_answer_is_when_to_come_back() -> None:
    acquire("a", 3, per_window=3, window=10)
    [delay] = acquire("a", 2, per_window=3, window=10, max_wait=2)
    assert -10 <= delay < -9
    assert RateGrant.objects.count() == 3


def test_a_window_that_has_passed_is_free_again() -> None:
    acquire("a", 3, per_window=3, window=0.05)
    time.sleep(0.06)
    assert acquire("a", 3, per_window=3, window=0.05) == [0, 0, 0]


def test_keys_are_independent() -> None:
    assert acquire("a", 3, per_window=3) == [0, 0, 0]
    assert acquire("b", 3, per_window=3) == [0, 0, 0]


def test_a_lowered_limit_counts_what_was_granted_before() -> None:
    acquire("a", 10, per_window=10, window=10)
    [delay] = acquire("a", per_window=2, window=10)
    assert 9.5 < delay <= 10


def test_no_window_holds_more_however_many_threads_ask() -> None:
    def ask() -> None:
        try:
            for _ in range(15):
                acquire("hammered", wanted=2)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = sent_at("hammered")
    assert len(times) == 6 * 15 * 2
    assert_no_window_holds_more(times, per_window=5, window=0.4)
    # and none is wasted: the last one goes as soon as the limit allows
    assert max(times) - min(times) < (len(times) / 5) * 0.4 + 2


ASKING = """
import sys, django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
with connection.cursor() as cursor:
    for _ in range(25):
        cursor.execute("SELECT rate_acquire('processes', 1, 5, interval '0.4 s', interval '60 s')")
"""


def test_no_window_holds_more_however_many_processes_ask() -> None:
    command = [sys.executable, "-c", ASKING, str(connection.settings_dict["NAME"])]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "convgen.settings"}
    asking = [
        subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stderr=subprocess.PIPE) for _ in range(3)
    ]
    for process in asking:
        _out, problem = process.communicate(timeout=60)
        assert process.returncode == 0, problem.decode()
    times = sent_at("processes")
    assert len(times) == 75
    assert_no_window_holds_more(times, per_window=5, window=0.4)


def test_first_come_first_served() -> None:
    """Whoever asks later is never sent earlier, with whatever numbers they ask."""
    for wanted in (1, 4, 2, 1, 5, 1):
        acquire("a", wanted, per_window=3, window=10)
    times = sent_at("a")
    assert all(earlier <= later for earlier, later in pairwise(times))


def seed_whose_first_number_is_below(limit: float) -> float:
    """For PostgreSQL's `setseed`: what the function leaves to chance happens at the next call."""
    with connection.cursor() as cursor:
        for number in range(10_000):
            cursor.execute("SELECT setseed(%s)", [number / 10_000])
            cursor.execute("SELECT random()")
            if cursor.fetchone()[0] < limit:
                return number / 10_000
    raise AssertionError("no such seed")


def test_old_grants_are_cleaned_away_now_and_then_and_those_that_count_are_kept() -> None:
    now = timezone.now()
    for key, seconds in (("a", 25), ("a", 15), ("a", 5), ("other", 25)):
        RateGrant.objects.create(key=key, at=now - timedelta(seconds=seconds))
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(%s)", [seed_whose_first_number_is_below(0.01)])
    acquire("a", window=10)
    ages = [round((now - grant.at).total_seconds()) for grant in RateGrant.objects.filter(key="a").order_by("at")]
    assert ages == [15, 5, 0]
    assert RateGrant.objects.filter(key="other").exists()


# --- RequestLimit ----------------------------------------------------------------------------------------


@dataclass
class Clock:
    """A `sleep` that takes no time: what was granted grows older instead."""

    database: DatabaseThreads
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        older = F("at") - timedelta(seconds=seconds)
        await self.database(lambda: RateGrant.objects.update(at=older))
        assert len(self.slept) < 100, "the limit never lets it through"


def target(requests_per_minute: int, *, key: str = "key") -> Endpoint:
    return Endpoint("http://127.0.0.1:1", key, requests_per_minute)


async def grants(limited: Endpoint, *wanted: int) -> list[list[float]]:
    async with DatabaseThreads(threads=1) as database:
        limit = RequestLimit(limited, database)
        return [await database(limit.acquire, number) for number in wanted]


async def permits(limited: Endpoint, number: int) -> list[float]:
    async with DatabaseThreads(threads=1) as database:
        clock = Clock(database)
        for _ in range(number):
            await RequestLimit(limited, database).permit(clock.sleep)
        return clock.slept


def test_the_minutes_requests_may_go_at_once_and_no_more() -> None:
    first, second = asyncio.run(grants(target(4), 10, 1))
    assert first == [0, 0, 0, 0]
    assert -WINDOW <= second[0] < -WINDOW + 5


def test_a_grant_lies_ahead_no_further_than_pause_may_wait() -> None:
    limited = target(1)
    just_now = timezone.now() - timedelta(seconds=WINDOW - PATIENCE + 0.5)
    RateGrant.objects.create(key=limited.limit_key, at=just_now)
    [delays] = asyncio.run(grants(limited, 3))
    assert len(delays) == 1
    assert 0 < delays[0] <= PATIENCE


def test_whoever_shares_the_key_and_the_address_shares_the_limit() -> None:
    assert asyncio.run(grants(target(1), 1)) == [[0]]
    assert asyncio.run(grants(target(1), 1))[0][0] < 0
    assert asyncio.run(grants(target(1, key="another"), 1)) == [[0]]


def test_a_permit_that_is_free_is_not_waited_for() -> None:
    assert asyncio.run(permits(target(3), 3)) == [0, 0, 0]


def test_a_permit_is_waited_for_in_short_steps_until_the_window_has_room() -> None:
    first, *waited = asyncio.run(permits(target(1), 2))
    assert first == 0
    assert max(waited) <= PATIENCE
    assert WINDOW - 5 < sum(waited) <= WINDOW


def test_a_wait_for_a_permit_can_be_told_to_stop() -> None:
    class Stop(Exception):
        pass

    async def stop(_seconds: float) -> None:
        raise Stop

    async def waiting() -> None:
        async with DatabaseThreads(threads=1) as database:
            limit = RequestLimit(target(1), database)
            await database(limit.acquire, 1)
            await limit.permit(stop)

    with pytest.raises(Stop):
        asyncio.run(waiting())
    assert RateGrant.objects.count() == 1


def test_the_key_is_not_kept_in_clear() -> None:
    limited = target(1, key="sk-ant-secret")
    asyncio.run(grants(limited, 1))
    assert "secret" not in RateGrant.objects.get().key


# --- Endpoint --------------------------------------------------------------------------------------------


def test_with_a_key_the_endpoint_is_what_the_settings_say(settings: Any) -> None:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL, settings.RATE_LIMIT_RPM = "sk-1", "", 50
    assert endpoint() == Endpoint("", "sk-1", 50)


def test_another_key_or_address_is_another_budget() -> None:
    keys = {Endpoint(url, key, 50).limit_key for url in ("", "http://a") for key in ("1", "2")}
    assert len(keys) == 4
    assert Endpoint("", "1", 50).limit_key == Endpoint("", "1", 60).limit_key
