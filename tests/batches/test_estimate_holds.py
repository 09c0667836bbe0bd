"""The estimate of a batch, held against what simulated Claude then takes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from batches.models import BatchJob
from batches.planning import Order, create, propose
from batches.summary import summarize
from conversations.models import PromptTemplate, Workspace
from generation.simulated.server import SimulatedClaude

pytestmark = pytest.mark.django_db(transaction=True)

Run = Callable[..., Any]


def begin(workspace: Workspace, **order: Any) -> BatchJob:
    job = create(Order(workspace, tier="edge_case", **order), inline=True)
    assert job is not None
    return job


def test_the_second_batch_costs_what_its_estimate_said(claude: SimulatedClaude, starter: Workspace, run: Run) -> None:
    PromptTemplate.objects.update(target_count=5)
    first = begin(starter, concurrency=5)
    run(first)
    assert first.estimate["known_from_history"] == 0
    cost = first.estimate["live"]["cost_usd"]
    assert Decimal(cost["low"]) < first.actual_cost_usd < Decimal(cost["high"])

    PromptTemplate.objects.update(target_count=9)
    second = begin(starter, concurrency=3)
    run(second)
    assert second.estimate["known_from_history"] == 1
    compared = summarize(second).against_estimate
    assert compared is not None and compared.usd.ratio == pytest.approx(1, abs=0.1)
    cost = second.estimate["live"]["cost_usd"]
    assert Decimal(cost["low"]) < second.actual_cost_usd < Decimal(cost["high"])


def test_a_plan_costs_nothing_and_asks_claude_nothing(claude: SimulatedClaude, starter: Workspace) -> None:
    assert propose(Order(starter)).usd.likely > 0
    assert len(claude.arrivals) == 0
