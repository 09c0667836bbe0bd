"""Every list finds its page in an index, under row-level security; and so does what a deleted row leaves behind."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Count, QuerySet
from django.utils import timezone

from batches.models import BatchItem, ItemStatus
from conversations.choices import Status, Tier
from conversations.coverage.completion import by_template
from conversations.models import Conversation, PromptTemplate, Turn, Workspace
from convgen.tenancy import workspace_scope
from tests.factories import ConversationFactory, PromptTemplateFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

VALUES = 30  # different ones of each word
STATUSES = (Status.DRAFT, Status.APPROVED, Status.ARCHIVED, Status.FAILED, Status.PENDING_REVIEW)


@pytest.fixture
def workspace() -> Workspace:
    """A workspace with 600 conversations, beside another one."""
    workspace = WorkspaceFactory()
    for each in (workspace, WorkspaceFactory()):
        templates = PromptTemplateFactory.create_batch(VALUES, workspace=each)
        Conversation.objects.bulk_create(
            _conversation(each, number, templates[number % VALUES]) for number in range(600)
        )
    with connection.cursor() as cursor:
        # What earlier tests rolled back still lies in the indexes, more of it in some than in others.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; REINDEX TABLE conversations_conversation")
        cursor.execute("ANALYZE conversations_conversation")
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small, and read whole it would be read fast
    return workspace


def _conversation(workspace: Workspace, number: int, template: PromptTemplate) -> Conversation:
    words = {kind: f"{kind} {number % VALUES}" for kind in ("persona", "emotion", "topic", "intent", "tone")}
    return Conversation(
        workspace=workspace,
        conversation_id=f"TPL-{number:04d}",
        template=template,
        tier=Tier.values[number % 3],
        status=STATUSES[number % len(STATUSES)],
        quality_score=number % 100 / 10,
        simulated=number % VALUES == 0,
        **words,
    )


def used_by(rows: QuerySet[Any]) -> set[str]:
    """The indexes of a query's plan."""
    found, plans = set(), [json.loads(rows.explain(format="json"))[0]["Plan"]]
    while plans:
        plan = plans.pop()
        plans += plan.get("Plans", [])
        found |= {plan["Index Name"]} if "Index Name" in plan else set()
        assert plan["Node Type"] != "Seq Scan"
    return found


LISTS: dict[str, Callable[[QuerySet[Conversation]], QuerySet[Conversation]]] = {
    "newest": lambda rows: rows,
    "status": lambda rows: rows.filter(status=Status.FAILED),
    "tier": lambda rows: rows.filter(tier=Tier.SCENARIO),
    "tier_status": lambda rows: rows.filter(tier=Tier.SCENARIO, status=Status.FAILED),
    "persona": lambda rows: rows.filter(persona="persona 7"),
    "emotion": lambda rows: rows.filter(emotion="emotion 7"),
    "topic": lambda rows: rows.filter(topic="topic 7"),
    "intent": lambda rows: rows.filter(intent="intent 7"),
    "tone": lambda rows: rows.filter(tone="tone 7"),
    "template": lambda rows: rows.filter(template=PromptTemplate.objects.filter(workspace=_of(rows))[7]),
    "simulated": lambda rows: rows.filter(simulated=True),
    "quality_tenths": lambda rows: rows.scored(below=0.1),  # type: ignore[attr-defined]
    "status_quality": lambda rows: rows.scored(below=1.1).filter(status=Status.APPROVED),  # type: ignore[attr-defined]
}
SORTED = {
    "quality_tenths": "quality_tenths",
    "status": "status",
    "tier": "tier",
    "persona": "persona",
}


def _of(rows: QuerySet[Conversation]) -> Any:
    return rows.values_list("workspace").first()[0]  # type: ignore[index]


@pytest.mark.parametrize("index", LISTS)
def test_each_list_of_a_workspace_has_its_index(workspace: Workspace, index: str) -> None:
    with workspace_scope(workspace.pk):
        newest = Conversation.objects.filter(workspace=workspace).order_by("-created_at", "-id")
        assert used_by(LISTS[index](newest)[:50]) == {f"conversation_{index}"}


@pytest.mark.parametrize("index", SORTED)
@pytest.mark.parametrize("direction", ["", "-"])
def test_a_list_sorted_by_a_column_needs_no_sorting(workspace: Workspace, index: str, direction: str) -> None:
    with workspace_scope(workspace.pk):
        order = [f"{direction}{name}" for name in (SORTED[index], "created_at", "id")]
        rows = Conversation.objects.filter(workspace=workspace).order_by(*order)[:50]
        assert used_by(rows) == {f"conversation_{index}"}
        assert "Sort" not in rows.explain()


def test_the_review_queue_needs_no_sorting(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_incremental_sort = off")  # so few rows are sorted as fast
        cursor.execute("SET LOCAL enable_sort = off")
        queue = Conversation.objects.filter(workspace=workspace).for_review()
        assert used_by(queue[:50]) == {"conversation_review_queue"}
        assert "Sort" not in queue[:50].explain()
        assert queue.first().quality_score == min(queue.values_list("quality_score", flat=True))  # type: ignore[union-attr]


def test_the_newest_of_all_workspaces_need_no_sorting(workspace: Workspace) -> None:
    assert used_by(Conversation.objects.order_by("-created_at", "-id")[:50]) == {"conversation_newest_of_all"}


@pytest.fixture
def no_bitmaps(workspace: Workspace) -> None:
    """Within a test nothing is vacuumed, and so an index alone looks no cheaper than a bitmap of its rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_bitmapscan = off")


@pytest.mark.usefixtures("no_bitmaps")
def test_what_is_unwritten_is_counted_without_reading_the_rows(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk), connection.cursor() as cursor:
        cursor.execute("DROP INDEX conversation_status, conversation_status_quality, conversation_tier_status")
        plan = by_template(workspace).explain()  # which would be as fast, of so few rows
    assert "Index Only Scan using conversation_unwritten" in plan


@pytest.mark.usefixtures("no_bitmaps")
def test_statuses_and_scores_are_counted_without_reading_the_rows(workspace: Workspace) -> None:
    rows = Conversation.objects.filter(workspace=workspace).order_by().values("status", "quality_tenths")
    with workspace_scope(workspace.pk):
        plan = rows.annotate(number=Count("*")).explain()
    assert "Index Only Scan using conversation_status_quality" in plan


def test_claims_that_ran_out_are_found_in_all_workspaces(workspace: Workspace) -> None:
    ConversationFactory(status=Status.GENERATING, claim=uuid4(), claim_expires_at=timezone.now() - timedelta(hours=1))
    ran_out = Conversation.objects.filter(status=Status.GENERATING, claim_expires_at__lt=timezone.now())
    assert used_by(ran_out) == {"conversation_claims"}
    assert ran_out.count() == 1


def test_the_versions_of_a_conversation_are_found_by_its_id_and_as_its_versions(workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        indexes = used_by(Conversation.objects.in_chain_of(Conversation.objects.all()[0]))
        assert "conversation_version_once" in indexes
        assert indexes <= {"conversation_version_once", "conversation_in_workspace", "conversations_conversation_pkey"}


@pytest.mark.parametrize("reference", ["template", "chunk", "document", "parent", "created_by"])
def test_what_a_deleted_row_leaves_behind_is_found_by_an_index(workspace: Workspace, reference: str) -> None:
    assert used_by(Conversation.objects.order_by().filter(**{reference: uuid4()})) == {f"conversation_{reference}"}


def test_what_belongs_to_a_deleted_conversation_or_batch_is_found_by_an_index(workspace: Workspace) -> None:
    assert used_by(Turn.objects.order_by().filter(conversation=uuid4())) == {"turn_position_once"}
    assert used_by(BatchItem.objects.order_by().filter(job=uuid4())) == {"batch_item_position_once"}


def test_the_items_of_a_rare_status_have_an_index(workspace: Workspace) -> None:
    items = BatchItem.objects.order_by().filter(workspace=workspace, status=ItemStatus.FAILED)
    assert used_by(items) == {"batch_item_status"}


def test_the_database_knows_which_scores_a_status_has(workspace: Workspace) -> None:
    approved = Conversation.objects.filter(status=Status.APPROVED).order_by()  # of both workspaces
    approved.update(quality_score=9)
    with connection.cursor() as cursor:
        # What earlier tests rolled back still lies in the indexes, more of it in some than in others.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; REINDEX TABLE conversations_conversation")
        cursor.execute("ANALYZE conversations_conversation")
    weak = approved.scored(below=5)
    assert json.loads(weak.explain(format="json"))[0]["Plan"]["Plan Rows"] <= 2
    assert json.loads(approved.explain(format="json"))[0]["Plan"]["Plan Rows"] > 20


def test_a_score_is_found_by_its_tenths_however_it_was_written(workspace: Workspace) -> None:
    conversation = Conversation.objects.filter(workspace=workspace)[0]
    Conversation.objects.filter(pk=conversation.pk).update(quality_score="7.3")
    conversation.refresh_from_db()
    assert conversation.quality_tenths == 73
    scored = Conversation.objects.filter(pk=conversation.pk)
    assert scored.scored(at_least=7.3, below=7.4).exists()
    assert scored.scored(at_least=7.25, below=7.35).exists()
    assert not scored.scored(at_least=7.35).exists()
    assert not scored.scored(below=7.3).exists()
    Conversation.objects.filter(pk=conversation.pk).update(quality_score=None)
    assert not scored.scored().exists()
