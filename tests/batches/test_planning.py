"""What a batch takes, and what it refuses."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from batches.models import BatchItem, BatchJob
from batches.planning import Order, PlanError, create
from conversations.models import Conversation, Workspace
from generation.configuration import Overrides
from tests.factories import ConversationFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db


def taken(job: BatchJob | None) -> set[str]:
    assert job is not None
    return set(job.items.values_list("conversation__conversation_id", flat=True))


def test_the_starter_plan_is_ninety_conversations_over_three_tiers(starter: Workspace) -> None:
    job = create(Order(starter))
    assert job is not None
    tiers = Counter(job.items.values_list("conversation__tier", flat=True))
    assert (job.total_items, tiers) == (90, {"template": 30, "scenario": 40, "edge_case": 20})
    assert list(job.items.values_list("position", flat=True)) == list(range(1, 91))


def test_one_tier_alone(starter: Workspace) -> None:
    job = create(Order(starter, tier="edge_case"))
    assert job is not None and job.total_items == 20
    assert set(Conversation.objects.values_list("tier", flat=True)) == {"edge_case"}


def test_a_complete_plan_makes_no_batch(workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=0)
    assert create(Order(workspace)) is None
    assert BatchJob.objects.count() == 0


def test_gaps_take_drafts_and_failed_ones_too(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace, conversation_id="DRAFT")
    ConversationFactory(workspace=workspace, conversation_id="FAILED", status="failed")
    ConversationFactory(workspace=workspace, conversation_id="DONE", status="generated")
    assert taken(create(Order(workspace))) == {"DRAFT", "FAILED"}


def test_failed_ones_alone(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace, conversation_id="DRAFT")
    ConversationFactory(workspace=workspace, conversation_id="FAILED", status="failed")
    assert taken(create(Order(workspace, selection="failed"))) == {"FAILED"}


@pytest.mark.parametrize("selection", ["gaps", "drafts", "failed"])
@pytest.mark.parametrize("status", ["draft", "failed"])
def test_a_new_version_that_is_not_written_is_taken_by_name_alone(
    workspace: Workspace, selection: str, status: str
) -> None:
    former = ConversationFactory(workspace=workspace, status="approved")
    version = ConversationFactory(
        workspace=workspace, status=status, version=2, parent=former, first_version=former.pk, conversation_id="V2"
    )
    assert create(Order(workspace, selection=selection)) is None
    assert taken(create(Order(workspace, selection="chosen", chosen=[str(version.pk)]))) == {"V2"}


def test_conversations_are_chosen_by_readable_id_or_uuid(workspace: Workspace) -> None:
    first, second, _third = ConversationFactory.create_batch(3, workspace=workspace)
    chosen = [first.conversation_id, str(second.pk)]
    assert taken(create(Order(workspace, selection="chosen", chosen=chosen))) == {
        first.conversation_id,
        second.conversation_id,
    }


def test_a_uuid_may_be_written_without_dashes(workspace: Workspace) -> None:
    first = ConversationFactory(workspace=workspace)
    assert taken(create(Order(workspace, selection="chosen", chosen=[first.pk.hex]))) == {first.conversation_id}


def test_an_unknown_id_is_named_and_nothing_is_created(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace, conversation_id="TPL-1")
    with pytest.raises(PlanError, match="no conversation TPL-9"):
        create(Order(workspace, selection="chosen", chosen=["TPL-1", "TPL-9"]))
    assert BatchJob.objects.count() == 0


def test_another_workspaces_conversation_does_not_exist(workspace: Workspace) -> None:
    foreign = ConversationFactory()
    with pytest.raises(PlanError, match="no conversation"):
        create(Order(workspace, selection="chosen", chosen=[str(foreign.pk)]))


def test_a_finished_conversation_cannot_be_chosen(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace, conversation_id="TPL-1", status="approved")
    with pytest.raises(PlanError, match=r"TPL-1 \(approved\)"):
        create(Order(workspace, selection="chosen", chosen=["TPL-1"]))


def test_what_one_batch_works_on_no_other_takes(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace, conversation_id="TPL-1")
    create(Order(workspace, selection="drafts"))
    assert create(Order(workspace, selection="drafts")) is None
    with pytest.raises(PlanError, match="TPL-1"):
        create(Order(workspace, selection="chosen", chosen=["TPL-1"]))
    assert BatchItem.objects.count() == 1


@pytest.mark.parametrize("concurrency", [0, -1, 1000])
def test_an_impossible_concurrency_is_refused_before_anything_is_created(
    workspace: Workspace, concurrency: int
) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=2)
    with pytest.raises(PlanError, match="between 1 and"):
        create(Order(workspace, concurrency=concurrency))
    assert Conversation.objects.count() == 0


def test_the_orders_choices_are_kept_on_the_job(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    job = create(
        Order(
            workspace,
            selection="drafts",
            concurrency=5,
            error_handling="stop",
            priority="high",
            overrides=Overrides(model="claude-opus-5-5", effort="low"),
            max_attempts=2,
            retry_strategy="fixed",
            request_timeout=60,
            shared_parameters={"city": "Oslo"},
        )
    )
    assert job is not None
    kept = (job.concurrent_processing, job.error_handling, job.priority, job.model, job.max_attempts)
    assert kept == (5, "stop", "high", "claude-opus-5-5", 2)
    assert job.shared_parameters == {"city": "Oslo"}
    assert (job.effort, job.retry_strategy, job.request_timeout) == ("low", "fixed", 60)


def test_each_template_and_the_workspace_say_how_claude_is_asked_unless_the_batch_does(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    job = create(Order(workspace, selection="drafts"))
    assert job is not None
    assert (job.model, job.max_tokens, job.effort, job.temperature, job.top_p) == ("", None, "", None, None)


def test_what_the_model_does_not_take_is_refused_with_the_templates_name_before_anything_is_created(
    workspace: Workspace,
) -> None:
    template = PromptTemplateFactory(workspace=workspace, name="Grief", model="claude-sonnet-4-6", temperature="0.7")
    ConversationFactory(workspace=workspace, template=template)
    with pytest.raises(PlanError) as refused:
        create(Order(workspace, selection="drafts", overrides=Overrides(model="claude-sonnet-5-5")))
    assert "temperature 0.70 (template “Grief”) is not taken by claude-sonnet-5-5 (this run)" in str(refused.value)
    assert not BatchJob.objects.exists()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"max_attempts": 11}, "max_attempts"),
        ({"max_attempts": -1}, "max_attempts"),
        ({"retry_strategy": "never"}, "retry_strategy"),
        ({"request_timeout": -5}, "request_timeout"),
        ({"request_timeout": 151}, r"may take 150 seconds \(ANTHROPIC_TIMEOUT\), not 151"),
        ({"overrides": Overrides(effort="huge")}, "effort"),
        ({"overrides": Overrides(temperature=Decimal("1.5"))}, "temperature"),
        ({"overrides": Overrides(max_tokens=30_000)}, "21,333"),
    ],
    ids=str,
)
def test_values_that_cannot_work_are_refused_by_name(workspace: Workspace, values: Any, complaint: str) -> None:
    ConversationFactory(workspace=workspace)
    with pytest.raises(PlanError, match=complaint):
        create(Order(workspace, selection="drafts", **values))
    assert not BatchJob.objects.exists()


def test_templates_take_turns_so_that_each_is_cached_before_it_is_asked_for_again(workspace: Workspace) -> None:
    first, second = PromptTemplateFactory.create_batch(2, workspace=workspace)
    for number, template in enumerate([first, first, first, second, second], start=1):
        ConversationFactory(workspace=workspace, template=template, conversation_id=f"TPL-{number}")
    job = create(Order(workspace, selection="drafts"))
    assert job is not None
    order = job.items.order_by("position").values_list("conversation__conversation_id", flat=True)
    assert list(order) == ["TPL-1", "TPL-4", "TPL-2", "TPL-5", "TPL-3"]


def test_it_takes_the_same_queries_for_many_conversations_as_for_few(workspace: Workspace) -> None:
    counts = []
    for size in (2, 40):
        for template in PromptTemplateFactory.create_batch(size // 2, workspace=workspace):
            ConversationFactory.create_batch(2, workspace=workspace, template=template)
        with CaptureQueriesContext(connection) as captured:
            assert create(Order(workspace, selection="drafts")) is not None
        counts.append(len(captured))
    assert counts[0] == counts[1]
