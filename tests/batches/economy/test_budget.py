"""A budget holds for what is at Anthropic, too."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from batches import control
from batches.budget import budget_of
from batches.economy import budget
from batches.models import BatchJob, MessageBatch
from generation.simulated.server import SimulatedClaude
from tests.batches.economy.conftest import DONE, Make, remote, statuses

pytestmark = pytest.mark.django_db(transaction=True)
Step = Callable[..., Any]


@pytest.fixture
def limited(economy: Make) -> Make:
    """An economy batch with a budget, and what was estimated for all of it."""

    def make(size: int, usd: str, likely: str = "") -> BatchJob:
        job = economy(size)
        job.budget_usd = Decimal(usd)
        job.estimate = {"conversations": size, "economy": {"cost_usd": {"likely": likely}}} if likely else {}
        job.save(update_fields=["budget_usd", "estimate"])
        return job

    return make


def test_no_more_is_sent_than_the_estimate_leaves_room_for(limited: Make, submit: Step) -> None:
    job = limited(6, "0.10", "0.30")  # 0.05 each
    submit(job)
    assert MessageBatch.objects.get().requests == 2
    assert statuses(job).count("queued") == 4
    assert not control.deserted(job.pk)  # what is away must come back first
    assert "2 requests are at Claude" in job.status_reason or "with 2 requests" in job.status_reason


def test_what_came_back_says_what_one_costs(
    limited: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = limited(6, "0.20", "0.60")
    submit(job)
    claude.clock.advance(DONE)
    assert collect(job) == [job.pk]
    job.refresh_from_db()
    assert budget_of(job).usual == job.actual_cost_usd / 2 < Decimal("0.05")
    submit(job)
    assert remote(claude) == 2


def test_without_an_estimate_a_few_are_tried_first(limited: Make, submit: Step) -> None:
    submit(limited(12, "5"))
    assert MessageBatch.objects.get().requests == budget.FIRST


def test_a_budget_that_is_used_up_pauses_the_batch_and_says_what_to_do(
    limited: Make, finish: Step, claude: SimulatedClaude
) -> None:
    job = limited(4, "0.015", "0.06")
    finish(job)
    assert (job.status, job.successful_items) == ("paused", 3)
    assert job.status_reason.startswith("The budget of $0.015 has no room for another conversation: $0.01")
    assert job.status_reason.endswith("Raise the budget, then resume.")
    assert job.actual_cost_usd <= Decimal("0.015")
    BatchJob.objects.filter(pk=job.pk).update(budget_usd=5)
    control.resume(job.pk)
    finish(job)
    assert job.status == "completed"


def test_a_budget_below_one_conversation_sends_nothing(limited: Make, submit: Step, claude: SimulatedClaude) -> None:
    job = limited(4, "0.01", "0.06")
    submit(job)
    assert (job.status, remote(claude)) == ("paused", 0)


def test_conversations_that_cost_nothing_do_not_make_the_others_look_cheap(
    limited: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    claude.behaviour.batch_script.extend(["400"] * 8)  # refused, and not paid for
    job = limited(40, "0.05", "0.20")
    submit(job)
    claude.clock.advance(DONE)
    collect(job)
    assert (job.failed_items, job.successful_items) == (8, 2)
    submit(job)
    claude.clock.advance(DONE)
    collect(job)
    assert job.successful_items > 2
    assert job.actual_cost_usd <= Decimal("0.05")
