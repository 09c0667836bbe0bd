"""Limits of tokens: reserved when a request is granted, corrected by its reply; output counts a window beyond it."""

import asyncio
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import F

from convgen.database.threads import DatabaseThreads
from generation.answers import Answer, Usage
from generation.errors import Overloaded, RateLimited, ReplyCutOff
from generation.limits import WINDOW, RequestLimit
from generation.models import RateGrant, RateState, WaitReason
from tests.generation.limiting import (
    delays,
    fail,
    granted,
    headers,
    limit,
    one,
    pass_time,
    settle,
    target,
    waits,
)
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def _learned(*limits: int, input: int, output: int) -> RequestLimit:
    """A limit that knows what a request uses, and whose windows are empty."""
    limited = limit(*limits)
    settle(one(limited), input=input, output=output)
    pass_time(2 * WINDOW)
    return limited


def test_as_many_go_at_once_as_their_input_fits() -> None:
    limited = _learned(100, 1_000, input=300, output=5)
    assert len(granted(limited, 10)) == 3
    wait = waits(limited)
    assert wait.reason == WaitReason.INPUT
    assert WINDOW - 5 < wait.seconds <= WINDOW


def test_as_many_go_at_once_as_their_output_fits() -> None:
    limited = _learned(100, 0, 1_000, input=5, output=300)
    assert len(granted(limited, 10)) == 3
    assert waits(limited).reason == WaitReason.OUTPUT


def test_until_a_first_reply_it_is_guessed_what_a_request_uses() -> None:
    assert len(granted(limit(100, 20_000), 10)) == 2
    assert len(granted(limit(100, 0, 20_000, key="another"), 10)) == 5


def test_a_request_is_expected_to_use_as_much_as_the_largest_of_late() -> None:
    limited = _learned(1_000, 100_000, input=900, output=300)
    settle(one(limited), input=100, output=50)
    state = RateState.objects.get()
    assert (state.usual_input, state.usual_output) == (891, 297)
    for _ in range(150):
        settle(one(limited), input=100, output=50)
    assert RateState.objects.get().usual_input < 250, "and a large one is forgotten after a while"


def test_a_reply_that_used_less_makes_room() -> None:
    limited = _learned(100, 1_000, input=300, output=5)
    first, *_others = granted(limited, 10)
    waits(limited)
    settle(first, input=10)
    granted(limited)


def test_a_reply_that_used_more_takes_room() -> None:
    limited = _learned(100, 1_000, input=100, output=5)
    settle(one(limited), input=950)
    assert waits(limited).reason == WaitReason.INPUT


def test_the_newest_that_leave_too_little_must_leave_first() -> None:
    limited = _learned(100, 1_000, input=400, output=5)
    settle(one(limited), input=400)
    pass_time(20)
    settle(one(limited), input=390)
    wait = waits(limited)
    assert wait.seconds == pytest.approx(WINDOW - 20, abs=1), "the first leaves enough"
    settled = RateGrant.objects.order_by("-at").first()
    assert settled and settled.input_tokens == 390


def test_a_request_larger_than_the_limit_goes_when_nothing_else_counts() -> None:
    limited = _learned(100, 1_000, 500, input=3_000, output=3_000)
    assert len(granted(limited, 5)) == 1
    waits(limited)
    pass_time(WINDOW + 1)
    assert len(granted(limited, 5)) == 1


def test_output_counts_from_the_grant_until_a_window_after_the_reply() -> None:
    limited = _learned(100, 0, 500, input=5, output=400)
    grant = one(limited)
    pass_time(WINDOW - 10)
    settle(grant, output=400)
    pass_time(20)
    wait = waits(limited)
    assert wait.reason == WaitReason.OUTPUT
    assert wait.seconds == pytest.approx(WINDOW - 20, abs=1)


def test_a_failure_without_a_reply_keeps_what_was_reserved() -> None:
    limited = _learned(100, 1_000, input=600, output=5)
    fail(one(limited), Overloaded())
    assert waits(limited).reason == WaitReason.INPUT


def test_a_reply_that_cannot_be_used_counts_with_what_it_used() -> None:
    limited = _learned(100, 1_000, input=600, output=5)
    fail(one(limited), ReplyCutOff(answer=Answer("", "", Usage(input=5, cache_write=7, cache_read=900), "", {})))
    newest = RateGrant.objects.order_by("-at").first()
    assert newest and newest.input_tokens == 12, "what was read from the cache is free of the limit"


def test_requests_that_read_all_from_the_cache_are_shared_too() -> None:
    limited, another = _learned(4, 1_000, 1_000, input=0, output=0), limit(4, 1_000, 1_000)
    granted(limited, 4)
    waits(limited, 4)
    waits(another, 4)
    RateGrant.objects.all().delete()
    assert [len(granted(limited, 4)), len(granted(another, 4))] == [2, 2]


def test_a_refused_request_used_nothing() -> None:
    limited = _learned(100, 1_000, input=600, output=5)
    granted(limit(100), 10)  # not the only one of late
    fail(one(limited), RateLimited(retry_after=5))
    assert RateGrant.objects.filter(refused=True).values_list("input_tokens", "output_tokens").get() == (0, 0)


def test_a_dead_process_holds_its_tokens_for_a_window_at_most() -> None:
    limited = _learned(100, 0, 500, input=5, output=400)
    one(limited)
    pass_time(WINDOW)
    assert delays(limited) == [0]


def test_a_call_that_outlasts_the_window_keeps_its_tokens() -> None:
    window = 0.4  # seconds

    async def run() -> Answer:
        async with DatabaseThreads(threads=1) as database:
            limited = RequestLimit(target(100, 0, 5_000), database, window=window)
            grants = await database(limited.acquire, 1)
            assert isinstance(grants, list)
            return await grants[0].sent(slow())

    async def slow() -> Answer:
        await asyncio.to_thread(_wait_until_it_counts_beyond, 2 * window)
        return Answer("", "", Usage(input=1, output=2), "", {})

    asyncio.run(run())
    assert RateGrant.objects.get().output_tokens == 2


def _wait_until_it_counts_beyond(seconds: float) -> None:
    """After its sending; its whole reservation."""
    beyond = F("at") + timedelta(seconds=seconds)
    try:
        eventually(RateGrant.objects.filter(output_until__gt=beyond, output_tokens=4_000).exists)
    finally:
        connections.close_all()


def test_without_limits_of_tokens_nothing_is_told() -> None:
    grant = one(limit(100))
    settle(grant, input=500, output=500)
    assert not grant.counted
    assert RateGrant.objects.get().settled is False


def test_once_the_headers_tell_of_a_limit_it_holds() -> None:
    limited = limit(100)
    settle(one(limited), input=700, output=5, said=headers(input=(1_000, 300)))
    assert RateState.objects.get().input_limit == 1_000
    assert waits(limited).reason == WaitReason.INPUT
