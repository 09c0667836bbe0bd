"""The request limit: never more than so many in any window, whoever asks, first come first served."""

import asyncio
import threading
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from convgen.database.threads import DatabaseThreads
from generation.endpoint import ANTHROPIC, Endpoint, endpoint
from generation.limits import PATIENCE, WINDOW, RequestLimit, Wait
from generation.models import RateGrant, RateState, RateWaiter, WaitReason
from generation.simulated import launcher
from tests.generation.limiting import Clock, delays, granted, limit, one, pass_time, target, waits

pytestmark = pytest.mark.django_db(transaction=True)


def _assert_no_window_holds_more(times: list[float], *, per_window: int, window: float) -> None:
    ordered = sorted(times)
    for first, beyond in zip(ordered, ordered[per_window:], strict=False):
        assert beyond - first >= window - 1e-6


def test_the_windows_requests_may_go_at_once_and_the_next_when_it_has_room() -> None:
    limited = limit(3)
    assert delays(limited, 10) == [0, 0, 0]
    assert WINDOW - 5 < waits(limited).seconds <= WINDOW
    assert RateGrant.objects.count() == 3


def test_room_comes_back_as_it_was_taken() -> None:
    limited = limit(3)
    granted(limited, 1)
    pass_time(WINDOW / 2)
    granted(limited, 2)
    assert waits(limited).seconds == pytest.approx(WINDOW / 2, abs=1)
    pass_time(WINDOW / 2)
    assert delays(limited, 3) == [0]


def test_several_are_granted_in_one_ask_each_with_its_own_delay() -> None:
    limited = limit(3, window=1.0, patience=60.0)
    assert delays(limited, 7) == [0, 0, 0, 1, 1, 1, 2]


def test_a_grant_lies_ahead_no_further_than_pause_may_wait() -> None:
    limited = limit(1)
    one(limited)
    pass_time(WINDOW - PATIENCE + 0.5)
    assert 0 < one(limited).delay <= PATIENCE
    assert waits(limited).ask_in <= PATIENCE


def test_limits_of_different_keys_and_addresses_are_independent() -> None:
    granted(limit(1))
    waits(limit(1))
    granted(limit(1, key="another"))
    keys = {Endpoint(url, key, 50).limit_key for url in ("", "http://a") for key in ("1", "2")}
    assert len(keys) == 4
    assert Endpoint("", "1", 50).limit_key == Endpoint("", "1", 60).limit_key


def test_simulated_claude_is_one_budget_whatever_its_port_is_today() -> None:
    ports = {Endpoint(f"http://127.0.0.1:{port}", launcher.API_KEY, 50).limit_key for port in (41_871, 41_872)}
    assert len(ports) == 1


def test_a_lowered_limit_counts_what_was_granted_before() -> None:
    granted(limit(10), 10)
    wait = waits(limit(2))
    assert WINDOW - 5 < wait.seconds <= WINDOW
    assert RateState.objects.get().requests_limit == 2


def test_no_window_holds_more_however_many_threads_ask() -> None:
    limited = limit(5, window=0.4, patience=60.0)

    def ask() -> None:
        try:
            for _ in range(15):
                granted(limited, 2)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [at.timestamp() for at in RateGrant.objects.values_list("at", flat=True)]
    assert len(times) == 6 * 15 * 2
    _assert_no_window_holds_more(times, per_window=5, window=0.4)
    # and none is wasted: the last one goes as soon as the limit allows
    assert max(times) - min(times) < (len(times) / 5) * 0.4 + 2


def test_whoever_asks_later_is_never_sent_earlier_with_whatever_numbers_they_ask() -> None:
    for wanted in (1, 4, 2, 1, 5, 1):
        granted(limit(3, window=1.0, patience=60.0), wanted)
    times = list(RateGrant.objects.order_by("id").values_list("at", flat=True))
    assert len(times) == 14
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_what_will_not_be_sent_is_given_back() -> None:
    limited = limit(3)
    limited.release(granted(limited, 3)[1:])
    assert delays(limited, 3) == [0, 0]


def _seed_whose_first_number_is_below(most: float) -> float:
    """For PostgreSQL's `setseed`: what the function leaves to chance happens at the next call."""
    with connection.cursor() as cursor:
        for number in range(10_000):
            cursor.execute("SELECT setseed(%s)", [number / 10_000])
            cursor.execute("SELECT random()")
            if cursor.fetchone()[0] < most:
                return number / 10_000
    raise AssertionError("no such seed")


def test_what_counts_no_more_is_cleaned_away_now_and_then() -> None:
    limited, now = limit(10), timezone.now()
    key = limited.endpoint.limit_key
    for of, age in ((key, 2.5), (key, 1.5), (key, 0.5), ("other", 2.5)):
        at = now - timedelta(seconds=age * WINDOW)
        RateGrant.objects.create(key=of, at=at, output_until=at)
    lasting = RateGrant.objects.create(
        key=key, at=now - timedelta(seconds=200), output_tokens=1, output_until=now + timedelta(seconds=9)
    )
    waits(limit(1))
    RateWaiter.objects.update(asks_at=now - timedelta(seconds=70))
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(%s)", [_seed_whose_first_number_is_below(0.01)])
    granted(limited)
    ages = [round((now - grant.at).total_seconds() / WINDOW, 1) for grant in RateGrant.objects.filter(key=key)]
    assert sorted(ages) == [0, 0.5, 1.5, round(200 / WINDOW, 1)]
    assert RateGrant.objects.filter(pk=lasting.pk).exists(), "its output counts still"
    assert RateGrant.objects.filter(key="other").exists()
    assert not RateWaiter.objects.exists()


# One permit after the other.


async def _permits(limited: Endpoint, number: int) -> list[float]:
    async with DatabaseThreads(threads=1) as database:
        clock = Clock(database)
        for _ in range(number):
            await RequestLimit(limited, database).permit(clock.sleep)
        return clock.slept


def test_a_permit_that_is_free_is_not_waited_for() -> None:
    assert asyncio.run(_permits(target(3), 3)) == [0, 0, 0]


def test_a_permit_is_waited_for_in_short_steps_until_the_window_has_room() -> None:
    first, *waited = asyncio.run(_permits(target(1), 2))
    assert first == 0
    assert max(waited) <= PATIENCE
    assert WINDOW - 5 < sum(waited) <= WINDOW
    assert not RateWaiter.objects.exists()


class Stop(Exception):
    pass


async def _stopped(_seconds: float) -> None:
    raise Stop


async def _asking(limited: Endpoint, taken: int) -> None:
    async with DatabaseThreads(threads=1) as database:
        limit = RequestLimit(limited, database)
        for _ in range(taken):
            await database(limit.acquire, 1)
        await limit.permit(_stopped)


def test_a_wait_that_is_told_to_stop_leaves_the_queue() -> None:
    with pytest.raises(Stop):
        asyncio.run(_asking(target(1), taken=1))
    assert RateGrant.objects.count() == 1
    assert not RateWaiter.objects.exists()


def test_a_grant_whose_wait_is_told_to_stop_is_free_again() -> None:
    with pytest.raises(Stop):
        asyncio.run(_asking(target(1), taken=0))
    assert delays(limit(1)) == [0]


def test_a_wait_holds_no_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # this thread's loop asks what the others do
    states: list[str] = []

    async def look(_seconds: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            states.extend(state for (state,) in cursor.fetchall())
        raise Stop

    async def asking() -> None:
        async with DatabaseThreads(threads=1) as database:
            await RequestLimit(target(1), database).permit(look)

    one(limit(1))
    with pytest.raises(Stop):
        asyncio.run(asking())
    assert states and set(states) == {"idle"}


def test_the_key_is_not_kept_in_clear() -> None:
    one(limit(1, key="sk-ant-secret"))
    waits(limit(1, key="sk-ant-secret"))
    for model in (RateGrant, RateState, RateWaiter):
        assert "secret" not in str(model.objects.values().get())


def test_a_wait_says_what_it_waits_for() -> None:
    assert Wait(12.4, 2, WaitReason.REQUESTS).in_words(12.4) == "Rate limit: next request in 12 s."
    words = {Wait(1, 1, reason).in_words(1) for reason in WaitReason}
    assert len(words) == len(WaitReason)


# The endpoint.


def test_with_a_key_the_endpoint_is_what_the_settings_say(settings: Any) -> None:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL, settings.RATE_LIMIT_RPM = "sk-1", "", 50
    settings.RATE_LIMIT_INPUT_TPM, settings.RATE_LIMIT_OUTPUT_TPM = 30_000, 8_000
    assert endpoint() == Endpoint("", "sk-1", 50, 30_000, 8_000)


@pytest.mark.parametrize(
    ("base_url", "address"),
    [("", ANTHROPIC), ("https://user:secret@proxy.example.com:8443/claude", "proxy.example.com"), ("odd", "odd")],
)
def test_the_address_is_told_without_what_may_be_secret(base_url: str, address: str) -> None:
    assert Endpoint(base_url, "sk-1", 50).address == address
