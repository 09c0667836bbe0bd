"""What Claude says: its headers lower the limits, and after a 429 everybody slows down, unless it is one of many."""

import pytest

from generation import limits
from generation.errors import Overloaded, RateLimited, SpendLimitReached
from generation.limits import PATIENCE, WINDOW, RequestLimit
from generation.models import RateGrant, RateState, WaitReason
from generation.rate_headers import LimitSaid, RateHeaders
from tests.generation.limiting import delays, fail, granted, headers, limit, one, pass_time, settle, waits

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stopped_clock")]


def _told_again(limited: RequestLimit) -> RequestLimit:
    """As after a while: reports that say nearly the same are not told more often."""
    limited._told_at -= limits.TOLD_EVERY
    return limited


def _state() -> RateState:
    return RateState.objects.get()


# Headers.


def test_a_lower_limit_of_the_headers_holds() -> None:
    limited = limit(50)
    settle(one(limited), said=headers((3, 3)))
    assert _state().requests_limit == 3
    assert len(granted(limited, 10)) == 2


def test_a_higher_limit_of_the_headers_changes_nothing() -> None:
    limited = limit(3)
    settle(one(limited), said=headers((4_000, 3_999)))
    assert _state().requests_limit == 3
    assert len(granted(limited, 10)) == 2


def test_the_reply_to_the_later_request_counts_though_it_came_first() -> None:
    limited = limit(50)
    earlier = one(limited)
    later = one(limited)
    settle(later, said=headers((20, 20)))
    settle(earlier, said=headers((10, 10), input=(5, 5)))
    assert (_state().requests_limit, _state().input_limit) == (20, None)


def test_of_requests_sent_together_the_least_remaining_counts() -> None:
    limited = limit(50)
    first, second, third = granted(limited, 3)
    for grant, remaining in ((first, 30), (second, 28), (third, 29)):
        settle(grant, said=headers((50, remaining)))
        _told_again(limited)
    assert _state().requests_remaining == 28


def test_what_others_have_taken_with_the_same_key_is_not_there() -> None:
    limited = limit(60)
    settle(one(limited), said=headers((60, 2)))
    assert delays(limited, 10) == [0, 0, pytest.approx(1, abs=0.2)]
    wait = waits(limited)
    assert (wait.reason, wait.seconds) == (WaitReason.REQUESTS, pytest.approx(2, abs=0.2))


def test_what_remained_is_full_again_after_a_window() -> None:
    limited = limit(60)
    settle(one(limited), said=headers((60, 0)))
    waits(limit(60, patience=0.1))
    pass_time(WINDOW + 1)
    assert len(granted(limited, 60)) == 60


@pytest.mark.parametrize("kind", ["input", "output"])
def test_tokens_that_others_have_taken_are_not_there(kind: str) -> None:
    limited = limit(1_000)
    settle(one(limited), input=500, output=500, said=headers(**{kind: (60_000, 2_000)}))
    assert delays(limited, 10)[:3] == [0, 0, 0]
    wait = waits(limited)
    assert (wait.reason, wait.seconds) == (kind, pytest.approx(2.5, abs=0.6))


def test_headers_of_requests_alone_are_told_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOLD_EVERY", 60.0)  # seconds: longer than the test takes
    limited = limit(50)
    for remaining in (40, 30):
        settle(one(limited), said=headers((50, remaining)))
    assert _state().requests_remaining == 40
    settle(one(_told_again(limited)), said=headers((50, 20)))
    assert _state().requests_remaining == 20


def test_limits_that_no_reply_has_repeated_for_a_day_are_believed_no_more() -> None:
    limited = limit(50)
    settle(one(limited), said=headers((7, 7), input=(60_000, 60_000)))
    pass_time(86_000)
    one(limited)
    assert (_state().requests_limit, _state().input_limit) == (7, 60_000)
    pass_time(1_000)
    one(limited)
    assert (_state().requests_limit, _state().input_limit) == (50, None)


def test_headers_of_a_failure_count_too() -> None:
    limited = limit(50)
    fail(one(limited), Overloaded(), said=headers((7, 7)))
    assert _state().requests_limit == 7


# 429.


def _refuse(limited: RequestLimit, *, after: float | None = None, said: RateHeaders | None = None) -> None:
    fail(one(limited), RateLimited(retry_after=after), said=said or headers())


def test_after_a_429_nobody_goes_before_claude_asks_them_to() -> None:
    limited = limit(60)
    _refuse(limited, after=30)
    for asker in (limited, limit(60, who="another")):
        wait = waits(asker)
        assert (wait.reason, wait.ask_in) == (WaitReason.BLOCKED, PATIENCE)
        assert wait.seconds == pytest.approx(30, abs=1)
    assert (_state().refused, _state().strikes) == (1, 1)


def test_a_429_with_another_key_concerns_nobody_else() -> None:
    _refuse(limit(60), after=30)
    assert delays(limit(60, key="another")) == [0]


def test_after_the_pause_they_go_one_by_one_at_half_the_pace_and_then_as_usual() -> None:
    limited = limit(61, patience=20.0)
    _refuse(limited, after=30)
    pass_time(30)
    spaced = [grant.delay for grant in granted(limited, 5)]
    assert spaced == pytest.approx([0, 2, 4, 5.8, 7.6], abs=0.3), "twice the second that the limit allows"
    pass_time(WINDOW / 2)
    spaced = [grant.delay for grant in granted(limited, 3)]
    assert spaced[2] - spaced[1] == pytest.approx(1, abs=0.2)
    pass_time(WINDOW)
    assert delays(limited, 5) == [0, 0, 0, 0, 0]


def test_one_429_of_many_is_its_own_affair() -> None:
    limited = limit(1_000)
    grants = granted(limited, 20)
    for grant in grants[:3]:
        fail(grant, RateLimited(retry_after=30))
    assert delays(limited) == [0]
    assert _state().refused == 3


def test_more_than_a_few_429s_of_many_concern_everybody() -> None:
    limited = limit(1_000)
    for grant in granted(limited, 20)[:4]:
        fail(grant, RateLimited(retry_after=30))
    assert waits(limited).reason == WaitReason.BLOCKED


def test_429s_of_a_while_ago_are_forgotten() -> None:
    limited = limit(1_000)
    for grant in granted(limited, 20)[:3]:
        fail(grant, RateLimited(retry_after=1))
    pass_time(11)
    for grant in granted(limited, 20)[:3]:
        fail(grant, RateLimited(retry_after=30))
    assert delays(limited) == [0]


def test_one_429_whose_headers_confirm_it_concerns_everybody() -> None:
    limited = limit(1_000)
    grant, *_others = granted(limited, 20)
    fail(grant, RateLimited(retry_after=100), said=headers((1_000, 900), output=(8_000, 0)))
    assert waits(limited).reason == WaitReason.BLOCKED


def test_without_being_told_they_wait_until_what_is_exhausted_is_there_again() -> None:
    limited = limit(1_000)
    said = RateHeaders(LimitSaid(50, 10, 90.0), LimitSaid(60_000, 0, 12.0))
    fail(one(limited), RateLimited(), said=said)
    assert waits(limited).seconds == pytest.approx(12, abs=1)


def test_without_being_told_they_wait_longer_each_time_in_a_row() -> None:
    limited = limit(1_000, patience=0.1)
    for number, seconds in enumerate((1, 2, 4, 8), start=1):
        _refuse(limited)
        assert _state().strikes == number
        assert waits(limited).seconds == pytest.approx(seconds, abs=0.5)
        pass_time(seconds)
    pass_time(WINDOW)
    _refuse(limited)
    assert _state().strikes == 1, "a window in peace, and it begins anew"


def test_those_who_were_on_their_way_when_everybody_was_asked_to_wait_are_no_further_strikes() -> None:
    limited = limit(1_000)
    for grant in granted(limited, 5):
        fail(grant, RateLimited())
    assert (_state().strikes, _state().refused) == (1, 5)


def test_nor_are_those_whose_moment_lay_ahead_when_they_were_granted() -> None:
    limited = limit(2)
    early, _other = granted(limited, 2)
    pass_time(WINDOW - 1.5)
    ahead = one(limited)
    assert 1 < ahead.delay < 2
    fail(early, RateLimited(retry_after=5))
    fail(ahead, RateLimited())
    assert (_state().strikes, _state().refused) == (1, 2)


@pytest.mark.parametrize("asked", [100_000.0, 300.0])
def test_nobody_waits_longer_than_five_minutes(asked: float) -> None:
    limited = limit(1_000)
    _refuse(limited, after=asked)
    assert waits(limited).seconds == pytest.approx(300, abs=1)


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    limited = limit(1_000)
    for grant, seconds in zip(granted(limited, 2), (100, 1), strict=True):
        fail(grant, RateLimited(retry_after=seconds))
    assert waits(limited).seconds == pytest.approx(100, abs=1)


def test_a_spend_limit_is_no_rate_limit() -> None:
    limited = limit(1_000)
    fail(one(limited), SpendLimitReached())
    assert delays(limited) == [0]
    assert _state().refused == 0
    assert not RateGrant.objects.filter(refused=True).exists()
