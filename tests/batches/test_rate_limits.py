"""Batches under the rate limits: seen while they wait, by their priority, and without a trace once they do not."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from batches import control, engine
from batches.models import BatchJob
from conversations.models import Workspace
from convgen.tenancy import workspace_scope
from generation.models import RateGrant, RateState, RateWaiter
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.background import ignore, in_background
from tests.factories import ConversationFactory
from tests.generation.limiting import pass_time
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., BatchJob]
Run = Callable[..., list[UUID]]


def _waiter() -> RateWaiter | None:
    return RateWaiter.objects.first()


def test_a_batch_that_waits_is_seen_until_it_is_paused(claude: SimulatedClaude, batch: Make, settings: Any) -> None:
    settings.RATE_LIMIT_RPM = 1
    job = batch(3, concurrency=3, priority="low")
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(_waiter)
    waiter = RateWaiter.objects.get()
    assert (waiter.who, waiter.of_workspace, waiter.priority) == (f"Batch “{job.name}”", job.workspace_id, "low")
    assert (waiter.wanted, waiter.reason) == (2, "requests")
    control.pause(job.pk)
    runner.join(timeout=5)
    assert not runner.is_alive()
    assert not RateWaiter.objects.exists()


def test_a_changed_priority_counts_while_the_batch_waits(claude: SimulatedClaude, batch: Make, settings: Any) -> None:
    settings.RATE_LIMIT_RPM = 1
    job = batch(3, concurrency=3)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(_waiter)
    BatchJob.objects.update(priority="high")
    eventually(lambda: RateWaiter.objects.filter(priority="high").exists())
    control.pause(job.pk)
    runner.join(timeout=5)
    assert not runner.is_alive()


def test_one_conversation_goes_before_the_batches(claude: SimulatedClaude, workspace: Workspace, settings: Any) -> None:
    settings.RATE_LIMIT_RPM = 1
    generate(ConversationFactory(workspace=workspace).pk)
    draft = ConversationFactory(workspace=workspace)

    def make() -> None:
        with workspace_scope(workspace.pk):
            generate(draft.pk)

    maker = in_background(make)
    eventually(_waiter)
    waiter = RateWaiter.objects.get()
    assert (waiter.who, waiter.priority) == (draft.conversation_id, "high")
    pass_time(61)
    maker.join(timeout=10)
    assert not maker.is_alive()
    draft.refresh_from_db()
    assert draft.status == "generated"
    assert not RateWaiter.objects.exists()


def test_what_was_granted_and_not_sent_is_given_back(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    run(batch(2, structure="Talk with {{persona."))
    assert claude.requests == []
    assert RateState.objects.get().granted == 2
    assert not RateGrant.objects.exists()


def test_after_429s_all_wait_together_and_none_is_lost(claude: SimulatedClaude, batch: Make, run: Run) -> None:
    claude.behaviour.script.extend(["429", "429", "429"])
    job = batch(6, concurrency=3)
    run(job)
    assert (job.status, job.successful_items) == ("completed", 6)
    state = RateState.objects.get()
    assert (state.refused, state.strikes) == (3, 1)
    assert state.blocked_at and state.blocked_until
    later = RateGrant.objects.filter(refused=False, at__gt=state.blocked_at)
    assert later.count() == 6
    assert not later.filter(at__lt=state.blocked_until).exists()


def test_without_limits_of_tokens_a_request_is_not_told_a_second_time(
    claude: SimulatedClaude, batch: Make, run: Run
) -> None:
    run(batch(3))
    assert RateGrant.objects.count() == 3
    assert not RateGrant.objects.filter(settled=True).exists()


def test_with_limits_of_tokens_each_request_tells_what_it_used(
    claude: SimulatedClaude, batch: Make, run: Run, settings: Any
) -> None:
    settings.RATE_LIMIT_INPUT_TPM, settings.RATE_LIMIT_OUTPUT_TPM = 1_000_000, 1_000_000
    job = batch(3)
    run(job)
    used = sorted(RateGrant.objects.filter(settled=True).values_list("input_tokens", "output_tokens"))
    logged = sorted(job.items.values_list("conversation__input_tokens", "conversation__output_tokens"))
    assert used == logged
    assert len(used) == 3
