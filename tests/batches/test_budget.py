"""What a batch may cost: it stops before it would cost more, says so, and goes on when it may."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Max, Min, Sum

from batches import control
from batches.budget import UNLIMITED, Budget, budget_of
from batches.changing import change
from batches.models import BatchJob
from batches.wording import as_written
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.factories import batch_of

Make = Callable[..., BatchJob]
Run = Callable[..., list[UUID]]


def paid() -> Decimal:
    return GenerationLog.objects.aggregate(usd=Sum("cost_usd"))["usd"] or Decimal(0)


def surplus() -> Decimal:
    """USD that the last two, which were begun by what the others had cost, may have cost above that: sizes differ."""
    costs = GenerationLog.objects.filter(cost_usd__gt=0).aggregate(most=Max("cost_usd"), least=Min("cost_usd"))
    return 2 * Decimal(costs["most"] - costs["least"])


@pytest.mark.parametrize(
    ("limit", "spent", "ended", "begun", "room"),
    [
        (None, "99", 3, 0, UNLIMITED),
        ("1.00", "0", 0, 0, UNLIMITED),  # nobody knows yet what one costs
        ("1.00", "0.40", 4, 0, 6),
        ("1.00", "0.40", 4, 5, 1),
        ("1.00", "0.40", 4, 9, 0),
        ("1.00", "0.95", 9, 0, 0),
        ("1.00", "1.20", 12, 0, 0),
        ("0", "0", 0, 0, 0),
        ("1.00", "0", 5, 0, UNLIMITED),  # they cost nothing: none came as far as a reply
    ],
)
def test_as_many_may_begin_as_can_be_paid_for(limit: str | None, spent: str, ended: int, begun: int, room: int) -> None:
    assert Budget(limit and Decimal(limit), Decimal(spent), ended, Decimal(0)).room(begun) == room


def test_what_an_estimate_expects_counts_until_one_has_ended() -> None:
    assert Budget(Decimal(1), Decimal(0), 0, expected=Decimal("0.25")).room(1) == 3
    assert Budget(Decimal(1), Decimal("0.10"), 1, expected=Decimal("0.25")).room(0) == 9


@pytest.mark.django_db
def test_cost_and_number_are_of_one_moment(django_assert_num_queries: Any) -> None:
    job = batch_of("completed", "completed", "queued", budget_usd=Decimal(1), actual_cost_usd=Decimal("0.50"))
    job.items.filter(status="completed").update(cost_usd=Decimal("0.25"))
    with django_assert_num_queries(1):  # between two statements, a conversation may end
        assert budget_of(job) == Budget(Decimal(1), Decimal("0.50"), 2, Decimal(0))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_budget_is_passed_by_no_more_than_what_is_in_flight(
    claude: SimulatedClaude, batch: Make, run: Run, concurrency: int
) -> None:
    run(batch(3))
    dearest = GenerationLog.objects.aggregate(most=Max("cost_usd"))["most"]
    before, budget = paid(), dearest * 5
    job = batch(20, concurrency=concurrency, budget_usd=budget)
    run(job)
    assert job.status == "paused"
    assert f"budget of {as_written(budget)} has no room" in job.status_reason
    assert "Raise the budget, then resume." in job.status_reason
    assert job.actual_cost_usd == paid() - before
    assert budget - 2 * dearest < job.actual_cost_usd <= budget + concurrency * dearest
    assert job.items.filter(status="queued").count() == 20 - job.completed_items > 0


@pytest.mark.django_db(transaction=True)
def test_with_a_higher_budget_it_goes_on_and_with_none_to_the_end(
    claude: SimulatedClaude, batch: Make, run: Run
) -> None:
    job = batch(12, concurrency=1, budget_usd=Decimal("0.03"))
    run(job)
    assert job.status == "paused"
    assert 0 < job.actual_cost_usd <= Decimal("0.03") + surplus()
    assert control.resume(job.pk)
    before = job.completed_items
    run(job)
    assert (job.status, job.completed_items) == ("paused", before)
    change(job.pk, {"budget_usd": job.actual_cost_usd * 2})
    control.resume(job.pk)
    run(job)
    assert job.status == "paused"
    assert before < job.completed_items < 12
    change(job.pk, {"budget_usd": None})
    control.resume(job.pk)
    run(job)
    assert (job.status, job.successful_items) == ("completed", 12)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("budget", ["0", "0.000001"])
def test_a_budget_in_which_not_one_has_room_by_its_estimate_sends_nothing(
    claude: SimulatedClaude, batch: Make, run: Run, budget: str
) -> None:
    job = batch(2, budget_usd=Decimal(budget))
    run(job)
    assert (job.status, claude.requests) == ("paused", [])


@pytest.mark.django_db(transaction=True)
def test_replies_that_cannot_be_used_count_against_the_budget(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.when("", "cut-off", times=None)
    job = batch(20, concurrency=1, max_attempts=1, budget_usd=Decimal("0.05"))
    run(job)
    assert job.status == "paused"
    assert 0 < job.failed_items == len(claude.requests) < 20
    assert job.actual_cost_usd == paid() > 0


@pytest.mark.django_db(transaction=True)
def test_what_failed_for_nothing_does_not_make_the_others_look_cheap(
    claude: SimulatedClaude, batch: Make, run: Run
) -> None:
    claude.behaviour.script.extend(["400"] * 8)
    job = batch(20, concurrency=1, budget_usd=Decimal("0.05"))
    run(job)
    assert (job.status, job.failed_items) == ("paused", 8)
    assert 0 < job.actual_cost_usd <= Decimal("0.05") + surplus()
