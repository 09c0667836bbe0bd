"""Who goes first: higher priorities, then whoever waits longest; the dead are passed over; and everybody is seen."""

from uuid import uuid4

import pytest

from generation.limits import WINDOW, Place, RequestLimit
from generation.models import RateWaiter, WaitReason
from generation.priority import Priority
from tests.generation.limiting import delays, granted, limit, one, pass_time, waits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

PATIENCE = 0.5  # seconds: shorter than the steps in which time passes here
DEAD = PATIENCE + 1.5  # seconds after which a waiter that did not come back is passed over


def _asker(who: str, priority: Priority = Priority.NORMAL, *, of: int = 2) -> RequestLimit:
    return limit(of, who=who, priority=priority, patience=PATIENCE)


def _full(of: int = 2) -> None:
    granted(_asker("earlier", of=of), of)


def _pass_time(seconds: float, *waiting: RequestLimit) -> None:
    """Let time pass in which those who wait ask again and again, in this order."""
    while seconds > 0:
        step = min(seconds, 1.0)
        pass_time(step)
        seconds -= step
        for limited in waiting:
            if seconds > 0:
                waits(limited)


def test_whoever_waits_longest_goes_first() -> None:
    _full(of=1)
    first, second = _asker("first", of=1), _asker("second", of=1)
    waits(first)
    waits(second)
    _pass_time(WINDOW, second, first)
    assert waits(second).reason == WaitReason.TURN
    one(first)
    assert waits(second).reason == WaitReason.REQUESTS


def test_a_newcomer_does_not_overtake_those_who_wait() -> None:
    _full()
    first = _asker("first")
    waits(first)
    _pass_time(WINDOW, first)
    assert waits(_asker("newcomer")).reason == WaitReason.TURN


def test_whoever_was_served_goes_to_the_end_of_the_queue() -> None:
    _full(of=1)
    first, second = _asker("first", of=1), _asker("second", of=1)
    waits(first)
    waits(second)
    _pass_time(WINDOW, first, second)
    one(first)
    waits(first)
    _pass_time(WINDOW, first, second)
    waits(first)
    one(second)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [(Priority.NORMAL, Priority.HIGH), (Priority.LOW, Priority.NORMAL), (Priority.LOW, Priority.HIGH)],
)
def test_higher_priority_goes_first_though_it_came_later(lower: Priority, higher: Priority) -> None:
    _full()
    patient, urgent = _asker("patient", lower), _asker("urgent", higher)
    waits(patient)
    waits(urgent, 2)
    _pass_time(WINDOW, patient, urgent)
    assert waits(patient).reason == WaitReason.TURN
    assert len(granted(urgent, 2)) == 2


def test_a_changed_priority_counts_from_the_next_ask_on() -> None:
    _full()
    first, second = _asker("first"), _asker("second")
    waits(first)
    waits(second)
    second.priority = Priority.HIGH
    _pass_time(WINDOW, first, second)
    waits(first)
    one(second)
    assert RateWaiter.objects.get().who == "first"


def test_one_that_does_not_come_back_is_passed_over() -> None:
    _full()
    dead, alive = _asker("dead", Priority.HIGH), _asker("alive")
    waits(dead)
    waits(alive)
    _pass_time(WINDOW - DEAD, dead, alive)
    _pass_time(DEAD, alive)
    one(alive)


def test_one_that_was_passed_over_keeps_its_place_for_when_it_comes_back() -> None:
    _full(of=1)
    slow, alive, later = (_asker(name, of=1) for name in ("slow", "alive", "later"))
    for limited in (slow, alive, later):
        waits(limited)
    _pass_time(WINDOW, alive, later)
    one(alive)
    _pass_time(WINDOW, later, slow)
    waits(later)
    one(slow)


def test_one_that_gives_up_is_not_waited_for() -> None:
    _full()
    first, second = _asker("first", Priority.HIGH), _asker("second")
    waits(first)
    waits(second)
    first.withdraw()
    _pass_time(WINDOW, second)
    one(second)
    assert not RateWaiter.objects.exists()


def test_room_for_many_is_shared_with_those_who_wait_too() -> None:
    _full(of=9)
    askers = [_asker(name, of=9) for name in ("a", "b", "c")]
    for limited in askers:
        waits(limited, 9)
    _pass_time(WINDOW, *askers)
    assert [len(granted(limited, 9)) for limited in askers] == [3, 3, 3]


def test_room_for_many_is_not_shared_with_those_who_come_after_anyway() -> None:
    _full(of=9)
    urgent, patient = _asker("urgent", Priority.HIGH, of=9), _asker("patient", of=9)
    waits(urgent, 9)
    waits(patient, 9)
    _pass_time(WINDOW, urgent, patient)
    assert len(granted(urgent, 9)) == 9


def test_one_asker_may_wait_in_several_places() -> None:
    _full(of=1)
    limited, place = _asker("batch", of=1), Place()
    waits(limited)
    limited.acquire(1, place)
    assert place.ticket
    assert RateWaiter.objects.count() == 2
    limited.withdraw(place)
    assert RateWaiter.objects.count() == 1


def test_the_head_of_the_queue_is_told_when_to_come_and_the_others_when_their_turn_is_likely() -> None:
    limited = _asker("earlier")
    one(limited)
    pass_time(20)
    one(limited)
    first, second = _asker("first"), _asker("second")
    assert waits(first).seconds == pytest.approx(WINDOW - 20, abs=1)
    assert waits(second).seconds == pytest.approx(WINDOW, abs=1)
    pass_time(WINDOW - 20 - 2 * PATIENCE)
    assert waits(first).ask_in == PATIENCE
    pass_time(PATIENCE)
    assert 0 < one(first).delay <= PATIENCE


def test_who_waits_is_seen_with_since_when_and_until_when() -> None:
    _full()
    workspace = uuid4()
    limited = limit(2, who="Batch “90 conversations”", priority=Priority.LOW, workspace=workspace, patience=PATIENCE)
    waits(limited, 5)
    _pass_time(10, limited)
    waits(limited, 4)
    waiter = RateWaiter.objects.get()
    assert (waiter.who, waiter.of_workspace, waiter.priority) == ("Batch “90 conversations”", workspace, "low")
    assert (waiter.wanted, waiter.reason) == (4, WaitReason.REQUESTS)
    assert (waiter.until - waiter.since).total_seconds() == pytest.approx(WINDOW, abs=1)
    assert (waiter.asks_at - waiter.since).total_seconds() == pytest.approx(10 + PATIENCE, abs=1)


def test_a_long_name_is_cut() -> None:
    _full()
    waits(_asker("x" * 300))
    assert RateWaiter.objects.get().who == "x" * 250


def test_whoever_finds_room_at_once_is_never_in_the_queue() -> None:
    assert delays(_asker("first")) == [0]
    assert not RateWaiter.objects.exists()
