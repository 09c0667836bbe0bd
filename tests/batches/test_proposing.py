"""The plan of a batch: told before anything is created, and kept to when it is."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from batches.models import BatchJob
from batches.plan import Plan, PlanRow
from batches.planning import Order, PlanChanged, PlanError, create, propose
from batches.selecting import NAMED
from conversations.models import Conversation, PromptTemplate, Workspace
from generation.configuration import Overrides
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ChunkFactory,
    ConversationFactory,
    DimensionFactory,
    DocumentFactory,
    GenerationLogFactory,
    PromptTemplateFactory,
    WorkspaceFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(name="Practice")


def numbers(row: PlanRow) -> tuple[int, int, int, int]:
    return row.gaps, row.drafts, row.failed, row.total


def some_of_each(workspace: Workspace) -> PromptTemplate:
    """Three gaps, two drafts and a failed one of one template; a draft of another tier."""
    template: PromptTemplate = PromptTemplateFactory(workspace=workspace, name="Grief", target_count=3)
    for status in ("draft", "draft", "failed"):
        ConversationFactory(workspace=workspace, template=template, status=status)
    other = PromptTemplateFactory(workspace=workspace, name="Budget", tier="scenario")
    ConversationFactory(workspace=workspace, template=other)
    return template


# --- How many


def test_the_starter_plan_is_ninety_gaps_over_three_tiers(starter: Workspace) -> None:
    plan = propose(Order(starter))
    assert [(row.tier, *numbers(row)) for row in plan.tiers] == [
        ("template", 30, 0, 0, 30),
        ("scenario", 40, 0, 0, 40),
        ("edge_case", 20, 0, 0, 20),
    ]
    assert (plan.total, len(plan.templates)) == (90, 14)
    assert plan.warnings == []


def test_gaps_drafts_and_failed_ones_are_told_apart_by_template(workspace: Workspace) -> None:
    some_of_each(workspace)
    plan = propose(Order(workspace))
    assert {row.template: numbers(row) for row in plan.templates} == {"Grief": (3, 2, 1, 6), "Budget": (0, 1, 0, 1)}
    assert propose(Order(workspace, tier="scenario")).total == 1


@pytest.mark.parametrize(("selection", "total"), [("drafts", 3), ("failed", 1)])
def test_other_selections_have_no_gaps(workspace: Workspace, selection: str, total: int) -> None:
    some_of_each(workspace)
    plan = propose(Order(workspace, selection=selection))
    assert plan.total == total
    assert sum(row.gaps for row in plan.tiers) == 0


def test_nothing_is_written(workspace: Workspace) -> None:
    some_of_each(workspace)
    with CaptureQueriesContext(connection) as captured:
        assert propose(Order(workspace)).total == 7
    assert {query["sql"].lstrip("(").split()[0] for query in captured} == {"SELECT"}
    assert (Conversation.objects.count(), BatchJob.objects.count()) == (4, 0)


def test_creating_takes_exactly_what_was_proposed(workspace: Workspace) -> None:
    some_of_each(workspace)
    plan = propose(Order(workspace))
    job = create(Order(workspace), agreed=plan.fingerprint)
    assert job is not None and job.total_items == plan.total
    taken = job.items.values_list("conversation_id", flat=True)
    assert {each.key for each in plan.taken.existing} < set(taken)
    slots = Conversation.objects.filter(pk__in=taken).exclude(slot="").values_list("slot", flat=True)
    assert set(slots) == {gap.slot for gap in plan.taken.gaps}
    assert job.estimate == plan.estimate.as_json()


def test_what_another_batch_is_at_is_left_out_and_named(workspace: Workspace) -> None:
    template = some_of_each(workspace)
    for readable in ("TPL-B", "TPL-A"):
        at_work = ConversationFactory(workspace=workspace, template=template, conversation_id=readable)
        BatchItemFactory(job=BatchJobFactory(workspace=workspace), conversation=at_work)
    plan = propose(Order(workspace, selection="drafts"))
    assert plan.total == 3
    assert plan.elsewhere == "2 conversations are left out, since another batch is at work on them: TPL-A, TPL-B."
    assert plan.as_json()["left_out"] == 2


def test_of_many_that_are_left_out_some_are_named(workspace: Workspace) -> None:
    for number in range(NAMED + 1):
        at_work = ConversationFactory(workspace=workspace, conversation_id=f"TPL-{number}")
        BatchItemFactory(job=BatchJobFactory(workspace=workspace), conversation=at_work)
    assert propose(Order(workspace, selection="drafts")).elsewhere.endswith(": TPL-0, TPL-1, TPL-2, TPL-3, TPL-4, …")


# --- What failed in a former batch


@pytest.fixture
def former(workspace: Workspace) -> BatchJob:
    """An ended batch in which two conversations failed, of which one was generated since, and one succeeded."""
    job: BatchJob = BatchJobFactory(workspace=workspace, status="completed")
    for readable, item, status in (
        ("FAILED", "failed", "failed"),
        ("MENDED", "failed", "generated"),
        ("GOOD", "completed", "generated"),
    ):
        made = ConversationFactory(workspace=workspace, conversation_id=readable, status=status)
        BatchItemFactory(job=job, conversation=made, status=item)
    ConversationFactory(workspace=workspace, conversation_id="ELSEWHERE", status="failed")
    return job


def taken_by(plan: Plan) -> set[str]:
    return {each.readable_id for each in plan.taken.existing}


def test_of_a_former_batch_only_what_failed_there_and_still_is(workspace: Workspace, former: BatchJob) -> None:
    assert taken_by(propose(Order(workspace, selection="failed", of_batch=former.pk))) == {"FAILED"}


def test_a_new_version_that_failed_in_it_was_asked_for_by_name(workspace: Workspace, former: BatchJob) -> None:
    parent = ConversationFactory(workspace=workspace, status="approved")
    version = ConversationFactory(
        workspace=workspace, conversation_id="V2", status="failed", version=2, parent=parent, first_version=parent.pk
    )
    BatchItemFactory(job=former, conversation=version, status="failed")
    assert taken_by(propose(Order(workspace, selection="failed", of_batch=former.pk))) == {"FAILED", "V2"}


def test_a_batch_that_is_not_there_is_refused_and_so_is_another_workspaces(workspace: Workspace) -> None:
    with pytest.raises(PlanError, match=r"There is no batch .* in Practice\. See: manage.py batch status"):
        propose(Order(workspace, selection="failed", of_batch=BatchJobFactory().pk))


def test_of_a_former_batch_nothing_else_can_be_taken(workspace: Workspace, former: BatchJob) -> None:
    with pytest.raises(PlanError, match="only what failed"):
        propose(Order(workspace, selection="drafts", of_batch=former.pk))


# --- What is refused, and what is warned of


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"concurrency": 0}, "between 1 and"),
        ({"max_attempts": 11}, "max_attempts"),
        ({"overrides": Overrides(effort="huge")}, "effort"),
        ({"selection": "chosen", "chosen": ["TPL-9"]}, "no conversation TPL-9"),
        ({"budget_usd": Decimal(-1)}, "A budget is 0 USD or more"),
    ],
    ids=str,
)
def test_what_cannot_be_created_cannot_be_proposed(workspace: Workspace, values: Any, complaint: str) -> None:
    ConversationFactory(workspace=workspace)
    with pytest.raises(PlanError, match=complaint):
        propose(Order(workspace, **{"selection": "drafts", **values}))


def test_a_cost_above_the_threshold_is_warned_of(settings: Any, workspace: Workspace) -> None:
    some_of_each(workspace)
    assert propose(Order(workspace)).warnings == []
    settings.BATCH_COST_WARNING_USD = 0.01
    (warning,) = propose(Order(workspace)).warnings
    assert warning.endswith("more than the $0.01 above which you are warned.")
    settings.BATCH_COST_WARNING_USD = 0
    assert propose(Order(workspace)).warnings == []


def test_a_budget_that_will_not_do_is_warned_of(workspace: Workspace) -> None:
    some_of_each(workspace)
    (warning,) = propose(Order(workspace, budget_usd=Decimal("0.01"))).warnings
    assert "its budget is $0.01: not all would be generated" in warning
    assert propose(Order(workspace, budget_usd=Decimal(5))).warnings == []


def test_an_assumed_price_is_warned_of_with_the_models_name(workspace: Workspace) -> None:
    some_of_each(workspace)
    plan = propose(Order(workspace, overrides=Overrides(model="claude-imaginary-9")))
    (warning,) = plan.warnings
    assert "The price of claude-imaginary-9 is not known" in warning
    assert plan.estimate.as_json()["price_assumed"] is True


def test_prompts_that_cannot_be_completed_are_warned_of_and_cost_nothing(workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, name="Sums", structure="About {{amount}}.")
    ConversationFactory.create_batch(2, workspace=workspace, template=template)
    plan = propose(Order(workspace, selection="drafts"))
    (warning,) = plan.warnings
    assert warning.startswith("2 conversations would probably fail, before anything is paid. Template “Sums”")
    assert plan.usd.high == 0
    assert propose(Order(workspace, selection="drafts", shared_parameters={"amount": "5"})).warnings == []


def test_conversations_whose_template_was_deleted_are_told_of(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace, template=None, tier="scenario")
    plan = propose(Order(workspace, selection="drafts"))
    assert [row.template for row in plan.templates] == ["(deleted template)"]
    assert "The template was deleted." in plan.warnings[0]


# --- What is started is what was shown


def changes(workspace: Workspace) -> list[Order]:
    return [
        Order(workspace, selection="drafts", concurrency=4),
        Order(workspace, selection="drafts", overrides=Overrides(effort="low")),
        Order(workspace, selection="drafts", shared_parameters={"city": "Oslo"}),
        Order(workspace, selection="drafts", budget_usd=Decimal(1)),
        Order(workspace, selection="gaps"),
    ]


def test_a_plan_is_known_by_what_it_takes_and_how(workspace: Workspace) -> None:
    some_of_each(workspace)
    order = Order(workspace, selection="drafts")
    fingerprints = {propose(each).fingerprint for each in (order, *changes(workspace))}
    assert len(fingerprints) == 6
    assert propose(Order(workspace, selection="drafts", name="Another")).fingerprint in fingerprints
    ConversationFactory(workspace=workspace)
    assert propose(order).fingerprint not in fingerprints


def test_a_plan_that_has_changed_is_not_started(workspace: Workspace) -> None:
    some_of_each(workspace)
    shown = propose(Order(workspace))
    Conversation.objects.filter(status="failed").update(status="archived")
    with pytest.raises(PlanChanged, match="has changed since it was shown"):
        create(Order(workspace), agreed=shown.fingerprint)
    assert (BatchJob.objects.count(), Conversation.objects.count()) == (0, 4)


# --- What it takes to know


def fill(workspace: Workspace, templates: int, each: int) -> None:
    """Gaps, drafts with a source, and history, of so many templates."""
    chunk = ChunkFactory(document=DocumentFactory(workspace=workspace), dimensions={"topics": {"Savings": 1}})
    for template in PromptTemplateFactory.create_batch(templates, workspace=workspace, target_count=each):
        ConversationFactory.create_batch(each, workspace=workspace, template=template, chunk=chunk)
        made = ConversationFactory(workspace=workspace, template=template, status="approved")
        GenerationLogFactory.create_batch(6, conversation=made, template=template)


def test_it_takes_the_same_queries_for_many_conversations_and_templates_as_for_few(workspace: Workspace) -> None:
    DimensionFactory(workspace=workspace, kind="topic", name="Savings")
    counts = []
    for templates, each in ((1, 2), (6, 9)):
        fill(workspace, templates, each)
        with CaptureQueriesContext(connection) as captured:
            propose(Order(workspace)).as_json()
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[0] < 25
