"""How much of the plan is written, and which pairs it lacks."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.choices import Status, Tier
from conversations.coverage import completion, fill_gaps, pair_table, standing
from conversations.models import Conversation, PromptTemplate, Workspace
from tests.factories import ConversationFactory, DimensionFactory, PromptTemplateFactory, WorkspaceFactory
from tests.statuses import put

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    made: Workspace = WorkspaceFactory()
    for kind, names in {"persona": ["Saver", "Spender"], "emotion": ["Calm", "Worried"], "topic": ["Rent"]}.items():
        for name in names:
            DimensionFactory(workspace=made, kind=kind, name=name)
    return made


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    made: PromptTemplate = PromptTemplateFactory(workspace=workspace, target_count=4)
    return made


def written(workspace: Workspace, number: int, status: str = Status.GENERATED) -> list[Conversation]:
    """So many drafts of the plan become conversations that can be read."""
    drafts = list(Conversation.objects.filter(workspace=workspace, status=Status.DRAFT).order_by("pk")[:number])
    for draft in drafts:
        put(draft, status)
    return drafts


def test_a_place_that_holds_a_draft_is_no_gap_and_not_written(workspace: Workspace, template: PromptTemplate) -> None:
    fill_gaps(workspace)
    written(workspace, 1)
    (tier,) = completion(workspace).tiers
    assert (tier.target, tier.gaps, tier.written, tier.unwritten) == (4, 0, 1, {"draft": 3})
    assert (tier.per_cent, tier.complete) == (25, False)


def test_the_plan_is_complete_when_every_place_is_written(workspace: Workspace, template: PromptTemplate) -> None:
    assert not completion(workspace).complete
    fill_gaps(workspace)
    written(workspace, 4)
    plan = completion(workspace)
    assert (plan.written, plan.target, plan.gaps, plan.per_cent, plan.complete) == (4, 4, 0, 100, True)


def test_what_failed_is_still_to_be_written_and_what_was_rejected_is_a_gap(
    workspace: Workspace, template: PromptTemplate
) -> None:
    fill_gaps(workspace)
    written(workspace, 1, Status.FAILED)
    written(workspace, 1, Status.REJECTED)
    written(workspace, 2, Status.APPROVED)
    (tier,) = completion(workspace).tiers
    assert (tier.gaps, tier.written, tier.unwritten) == (1, 2, {"failed": 1})


def test_drafts_beside_the_plan_are_told_of_and_take_nothing_from_it(
    workspace: Workspace, template: PromptTemplate
) -> None:
    fill_gaps(workspace)
    written(workspace, 4)
    retired = PromptTemplateFactory(workspace=workspace, active=False)
    for each in (template, retired):
        ConversationFactory(workspace=workspace, template=each, conversation_id=f"BESIDE-{each.pk}"[:40])
    plan = completion(workspace)
    assert plan.complete
    assert plan.tiers[0].unwritten == {"draft": 2}
    assert plan.templates[0].unwritten == {"draft": 1}


def test_a_new_version_under_way_leaves_its_place_written(workspace: Workspace, template: PromptTemplate) -> None:
    fill_gaps(workspace)
    first = written(workspace, 4)[0]
    later = {"version": 2, "parent": first, "first_version": first.pk, "conversation_id": "TPL-0001-v2"}
    ConversationFactory(workspace=workspace, template=template, **later)
    assert completion(workspace).tiers[0].written == 4


def test_a_target_that_was_lowered_is_reached_while_drafts_wait(workspace: Workspace, template: PromptTemplate) -> None:
    fill_gaps(workspace)
    written(workspace, 3)
    PromptTemplate.objects.filter(pk=template.pk).update(target_count=3)
    assert completion(workspace).tiers[0].written == 3


def test_without_a_workspace_all_are_added_up(workspace: Workspace, template: PromptTemplate) -> None:
    other = PromptTemplateFactory(target_count=2, tier=Tier.SCENARIO)
    DimensionFactory(workspace=other.workspace, kind="persona", name="Elsewhere")
    fill_gaps(other.workspace)
    together = completion(None)
    assert [(tier.standing.tier, tier.target, tier.gaps) for tier in together.tiers] == [
        ("template", 4, 4),
        ("scenario", 2, 0),
    ]
    of_ours = next(one for one in together.templates if one.standing.template == template)
    assert "Elsewhere" not in str(of_ours.standing.values)


def test_queries_are_as_many_for_many_templates(workspace: Workspace, template: PromptTemplate) -> None:
    with CaptureQueriesContext(connection) as few:
        completion(workspace)
    PromptTemplateFactory.create_batch(5, workspace=workspace, target_count=3)
    with CaptureQueriesContext(connection) as many:
        completion(workspace)
    assert len(few) == len(many)


# --- Pairs


def pair(workspace: Workspace, persona: str, emotion: str, **values: object) -> Conversation:
    made: Conversation = ConversationFactory(
        workspace=workspace, template__target_count=0, persona=persona, emotion=emotion, **values
    )
    return made


def test_a_pair_is_used_or_lacking_or_not_planned(workspace: Workspace, template: PromptTemplate) -> None:
    for _each in range(3):
        pair(workspace, "Saver", "Calm")
    pair(workspace, "Saver", "Furious")
    pair(workspace, "Spender", "Calm", status=Status.ARCHIVED)
    table = pair_table(standing(workspace), "persona", "emotion")
    cells = {(cell.first, cell.second): cell for cell in table.cells}
    assert table.columns == ["Calm", "Furious", "Worried"]
    assert [name for name, _cells in table.rows] == ["Saver", "Spender"]
    assert [(cell.conversations, cell.shade) for cell in table.rows[0][1]] == [(3, 5), (1, 2), (0, 0)]
    assert cells["Saver", "Worried"].lacking and cells["Spender", "Calm"].lacking
    assert not cells["Saver", "Furious"].planned and not cells["Spender", "Furious"].lacking
    assert (table.planned, table.lacking) == (4, 3)


def test_without_a_plan_and_conversations_there_are_no_pairs(workspace: Workspace) -> None:
    table = pair_table(standing(workspace), "persona", "emotion")
    assert (table.columns, table.rows, table.lacking) == ([], [], 0)
