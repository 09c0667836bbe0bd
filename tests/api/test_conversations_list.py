"""The list of conversations by the API: filters, search, orders and pages, each in an index."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Conversation, Workspace
from convgen.tenancy import workspace_scope
from tests.api_client import Api, problems, told
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ChunkFactory,
    ConversationFactory,
)
from tests.talks import a_talk


def listed(client: Api, **filters: Any) -> list[str]:
    """The readable ids of the first page."""
    answer = client.get("conversations/", filters)
    assert answer.status_code == 200, answer.json()
    return [row["conversation_id"] for row in answer.json()["results"]]


def pages(client: Api, **filters: Any) -> Iterator[list[str]]:
    """The readable ids, page by page."""
    url: str | None = "conversations/"
    while url:
        answer = client.get(url, filters if url == "conversations/" else None).json()
        yield [row["conversation_id"] for row in answer["results"]]
        url = answer["next"]


def some(workspace: Workspace, **values: Any) -> None:
    """A conversation for each value of each field; they are named by letters."""
    [(name, each)] = values.items()
    for letter, value in zip("ABCDEFG", each, strict=False):
        ConversationFactory(workspace=workspace, conversation_id=letter, **{name: value})


def test_the_newest_come_first_and_long_texts_are_left_out(curator: Api, workspace: Workspace) -> None:
    some(workspace, title=["One", "Two"])
    assert listed(curator) == ["B", "A"]
    [newest, _older] = curator.get("conversations/").json()["results"]
    assert not {"turns", "quality_metrics", "parameters", "review_history", "reviewer_notes"} & set(newest)
    assert newest["template_name"].startswith("Template")


def test_other_workspaces_are_not_in_it(curator: Api, elsewhere: Workspace) -> None:
    a_talk(workspace=elsewhere)
    assert listed(curator) == []
    assert listed(curator, search="Building") == []


def test_several_tiers_and_statuses_may_be_asked_for(curator: Api, workspace: Workspace) -> None:
    some(workspace, status=["draft", "approved", "failed"])
    ConversationFactory(workspace=workspace, conversation_id="S", tier="scenario", status="approved")
    assert listed(curator, status="approved") == ["S", "B"]
    assert listed(curator, status=["draft", "failed"]) == ["C", "A"]
    assert listed(curator, status=["approved", "failed"], tier=["template", "edge_case"]) == ["C", "B"]


@pytest.mark.parametrize("kind", ["persona", "emotion", "topic", "intent", "tone"])
def test_each_dimension_is_a_filter_and_an_order(curator: Api, workspace: Workspace, kind: str) -> None:
    some(workspace, **{kind: ["Blue", "Red", "Blue"]})
    assert listed(curator, **{kind: "Blue"}) == ["C", "A"]
    assert listed(curator, ordering=kind) == ["A", "C", "B"]
    assert listed(curator, ordering=f"-{kind}") == ["B", "C", "A"]


def test_both_bounds_of_the_quality_are_included(curator: Api, workspace: Workspace) -> None:
    some(workspace, quality_score=["5.9", "6.0", "8.0", "8.1", None])
    assert listed(curator, min_quality="6", max_quality="8.0") == ["C", "B"]
    assert listed(curator, min_quality="5.95") == ["D", "C", "B"]
    assert listed(curator, max_quality="6.05") == ["B", "A"]
    assert listed(curator, max_quality="0") == []


def test_a_span_of_time_has_its_beginning_and_not_its_end(curator: Api, workspace: Workspace) -> None:
    some(workspace, title=["One", "Two", "Three"])
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    for days, letter in enumerate("ABC"):
        Conversation.objects.filter(conversation_id=letter).update(created_at=noon + timedelta(days=days))
    span = {"created_after": noon.isoformat(), "created_before": (noon + timedelta(days=2)).isoformat()}
    assert listed(curator, **span) == ["B", "A"]
    assert listed(curator, created_after=f"{noon + timedelta(days=1):%Y-%m-%d}") == ["C", "B"]


def test_a_template_a_source_and_simulated_ones(curator: Api, workspace: Workspace) -> None:
    chunk = ChunkFactory(document__workspace=workspace)
    row = ConversationFactory(workspace=workspace, chunk=chunk, document=chunk.document, simulated=True)
    ConversationFactory(workspace=workspace)
    for filters in (
        {"template": row.template_id},
        {"chunk": chunk.pk},
        {"document": chunk.document_id},
        {"simulated": "true"},
    ):
        assert listed(curator, **filters) == [row.conversation_id]
    assert row.conversation_id not in listed(curator, simulated="false")
    assert len(listed(curator, simulated="")) == 2
    assert listed(curator, template=uuid4()) == []


def test_the_conversations_of_a_batch(curator: Api, workspace: Workspace) -> None:
    job = BatchJobFactory(workspace=workspace)
    items = [BatchItemFactory(job=job, position=place, status="completed") for place in (1, 2)]
    BatchItemFactory(job__workspace=workspace)
    BatchItemFactory(job=job, position=3, status="completed", conversation=items[0].conversation)
    assert listed(curator, batch=job.pk) == [item.conversation.conversation_id for item in reversed(items)]


def test_words_are_searched_for(curator: Api, workspace: Workspace) -> None:
    some(workspace, title=["An early pension", "A mortgage", "Early exit"])
    assert listed(curator, search="early -exit") == ["A"]
    assert listed(curator, search="earl", ordering="created") == ["A", "C"]
    assert listed(curator, search='"early exit"', status="draft") == ["C"]
    assert listed(curator, search="-") == []


def test_what_a_filter_does_not_know_is_told_by_its_name(curator: Api) -> None:
    wrong = {
        "tier": "easy",
        "status": ["approved", "done"],
        "min_quality": "11",
        "max_quality": "good",
        "created_after": "yesterday",
        "template": "first",
        "batch": "first",
        "simulated": "perhaps",
        "persona": "a\x00b",
    }
    assert set(problems(curator.get("conversations/", wrong), 400)) == set(wrong)
    refused = curator.get("conversations/", {"ordering": "title"})
    assert problems(refused, 400) == {"ordering": "invalid"}
    assert "-quality" in told(refused)


@pytest.mark.parametrize("ordering", ["quality", "-quality", "status", "tier", "conversation_id", "-created"])
def test_pages_follow_each_other_in_every_order(curator: Api, workspace: Workspace, ordering: str) -> None:
    scores = ["7.5", None, "6.0", "7.5", None, "9.9", "6.0"]
    some(workspace, quality_score=scores)
    whole = listed(curator, ordering=ordering)
    assert sorted(whole) == list("ABCDEFG")
    assert [letter for page in pages(curator, ordering=ordering, page_size=2) for letter in page] == whole


def test_the_weakest_come_first_and_those_without_a_score_last(curator: Api, workspace: Workspace) -> None:
    some(workspace, quality_score=["7.5", None, "6.0", "7.5"])
    assert listed(curator, ordering="quality") == ["C", "A", "D", "B"]
    assert listed(curator, ordering="-quality") == ["B", "D", "A", "C"]


def test_a_page_takes_as_many_queries_for_many_rows(curator: Api, workspace: Workspace) -> None:
    filters = {"status": "draft", "search": "building", "ordering": "quality"}
    counts = []
    for more in (2, 18):
        ConversationFactory.create_batch(more, workspace=workspace)
        with CaptureQueriesContext(connection) as captured:
            assert len(listed(curator, **filters)) == len(Conversation.objects.all())
        counts.append(len(captured) - 1)
    assert counts[0] == counts[1]


# --- Indexes

INDEXES: dict[str, dict[str, Any]] = {
    "newest": {},
    "status": {"status": "failed"},
    "tier": {"tier": "scenario"},
    "tier_status": {"tier": "scenario", "status": "failed"},
    "persona": {"persona": "persona 7"},
    "tone": {"tone": "tone 7"},
    "simulated": {"simulated": "true"},
    "quality_tenths": {"min_quality": "9.9"},
    "status_quality": {"status": "approved", "max_quality": "1.0"},
    "topic": {"ordering": "-topic"},
    "readable_id_once": {"ordering": "conversation_id"},
}


@pytest.fixture
def many(workspace: Workspace, elsewhere: Workspace) -> None:
    """600 conversations, of 30 different words, beside those of another workspace."""
    for each in (workspace, elsewhere):
        Conversation.objects.bulk_create(_conversation(each, number) for number in range(600))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_conversation")
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small, and read whole it would be read fast


def _conversation(workspace: Workspace, number: int) -> Conversation:
    return Conversation(
        workspace=workspace,
        conversation_id=f"TPL-{number:04d}",
        tier=("template", "scenario", "edge_case")[number % 3],
        status=("draft", "approved", "archived", "failed", "pending_review")[number % 5],
        quality_score=number % 100 / 10,
        simulated=number % 30 == 0,
        **{kind: f"{kind} {number % 30}" for kind in ("persona", "emotion", "topic", "intent", "tone")},
    )


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.usefixtures("many")
def test_each_list_has_its_index(curator: Api, workspace: Workspace, index: str) -> None:
    assert _indexes(workspace, curator, INDEXES[index]) == {f"conversation_{index}"}


@pytest.mark.usefixtures("many")
def test_the_review_queue_has_its_index(curator: Api, workspace: Workspace) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")  # so few rows are sorted as fast
        cursor.execute("SET LOCAL enable_incremental_sort = off")
    queue = {"status": "pending_review", "ordering": "quality"}
    assert _indexes(workspace, curator, queue) == {"conversation_review_queue"}


def _indexes(workspace: Workspace, client: Api, filters: dict[str, Any]) -> set[str]:
    """Those by which the list finds its conversations."""
    with CaptureQueriesContext(connection) as captured:
        assert listed(client, **filters)
    [query] = [each["sql"] for each in captured if "LIMIT 51" in each["sql"]]
    with workspace_scope(workspace.pk), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")
        plans, found = [cursor.fetchone()[0][0]["Plan"]], set()
    while plans:
        plan = plans.pop()
        plans += plan.get("Plans", [])
        assert plan["Node Type"] != "Seq Scan"
        found |= {plan["Index Name"]} if plan.get("Index Name", "").startswith("conversation_") else set()
    return found
