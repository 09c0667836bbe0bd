"""So many requests a minute: counted by PostgreSQL, by its clock, for all processes together."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from convgen import throttling
from convgen.models import Throttle
from convgen.throttling import Allowance, forget, take

MANY_AT_ONCE = 8


def _later(seconds: float) -> None:
    """Let time pass: whatever was counted was counted so much earlier."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE convgen_throttle SET empty_at = empty_at - %s * interval '1 second'", [seconds])


def _taken(times: int, *, per_minute: int) -> list[bool]:
    return [take("reads:anna", per_minute=per_minute).granted for _ in range(times)]


@pytest.mark.django_db
def test_a_minute_s_worth_may_come_at_once_and_no_more() -> None:
    assert _taken(5, per_minute=3) == [True, True, True, False, False]


@pytest.mark.django_db
def test_they_come_back_one_by_one() -> None:
    _taken(3, per_minute=3)
    _later(19)
    assert not take("reads:anna", per_minute=3).granted
    _later(1)
    assert _taken(2, per_minute=3) == [True, False]
    _later(40)
    assert _taken(3, per_minute=3) == [True, True, False]


@pytest.mark.django_db
def test_who_waits_for_long_has_a_minute_s_worth_and_not_more() -> None:
    _taken(1, per_minute=3)
    _later(3_600)
    assert _taken(4, per_minute=3) == [True, True, True, False]


@pytest.mark.django_db
def test_what_is_refused_is_not_counted() -> None:
    _taken(50, per_minute=3)
    _later(20)
    assert take("reads:anna", per_minute=3).granted


@pytest.mark.django_db
def test_what_is_left_is_told() -> None:
    allowances = [take("reads:anna", per_minute=3) for _ in range(4)]
    assert [each.remaining for each in allowances] == [2, 1, 0, 0]
    assert [each.reset for each in allowances] == [20, 40, 60, 60]
    assert allowances[-1].retry_after == 20
    _later(15)
    assert take("reads:anna", per_minute=3).retry_after == 5


@pytest.mark.django_db
@pytest.mark.parametrize("per_minute", [1, 7, 60, 600, 1_200])
def test_what_is_said_to_be_left_can_be_had(per_minute: int) -> None:
    for expected in range(per_minute - 1, max(per_minute - 20, -1), -1):
        assert take("reads:anna", per_minute=per_minute).remaining == pytest.approx(expected, abs=1)
    Throttle.objects.all().delete()
    left = take("reads:anna", per_minute=per_minute).remaining
    for _ in range(min(left, 20)):
        assert take("reads:anna", per_minute=per_minute).granted


@pytest.mark.django_db
def test_who_waits_as_long_as_told_is_let_in() -> None:
    _taken(7, per_minute=7)
    refused = take("reads:anna", per_minute=7)
    assert not refused.granted
    _later(refused.retry_after)
    assert take("reads:anna", per_minute=7).granted


@pytest.mark.django_db
def test_each_key_has_its_own() -> None:
    assert take("reads:anna", per_minute=1).granted
    assert take("reads:ben", per_minute=1).granted
    assert take("writes:anna", per_minute=1).granted
    assert not take("reads:anna", per_minute=1).granted


@pytest.mark.django_db
def test_a_limit_that_was_lowered_counts_what_came_before() -> None:
    _taken(30, per_minute=60)
    lowered = take("reads:anna", per_minute=2)
    assert lowered.granted
    assert lowered.remaining == 0
    assert not take("reads:anna", per_minute=2).granted


@pytest.mark.django_db
def test_counters_that_say_nothing_any_more_are_forgotten() -> None:
    take("anonymous:192.0.2.1", per_minute=60)
    _later(2)
    take("anonymous:192.0.2.2", per_minute=60)
    assert forget() == 1
    assert [throttle.key for throttle in Throttle.objects.all()] == ["anonymous:192.0.2.2"]


@pytest.mark.django_db
def test_now_and_then_a_request_sweeps_them_out(monkeypatch: pytest.MonkeyPatch) -> None:
    take("anonymous:192.0.2.1", per_minute=60)
    _later(2)
    monkeypatch.setattr(throttling, "SWEEPS", 1.0)
    take("anonymous:192.0.2.2", per_minute=60)
    assert [throttle.key for throttle in Throttle.objects.all()] == ["anonymous:192.0.2.2"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("per_minute", [1, 20])
def test_many_at_the_same_moment_get_no_more_than_the_limit(per_minute: int) -> None:
    """Each thread has a connection of its own, as a process has."""
    together = Barrier(MANY_AT_ONCE)

    def take_many() -> list[Allowance]:
        together.wait(timeout=10)
        try:
            return [take("reads:anna", per_minute=per_minute) for _ in range(5)]
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(MANY_AT_ONCE) as threads:
        begun = [threads.submit(take_many) for _ in range(MANY_AT_ONCE)]
        taken = [allowance for each in begun for allowance in each.result()]
    assert sum(allowance.granted for allowance in taken) == per_minute
    refused = [allowance for allowance in taken if not allowance.granted]
    assert all(0 < allowance.retry_after <= 60 and allowance.remaining == 0 for allowance in refused)
