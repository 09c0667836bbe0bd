import threading
from typing import Any

import pytest

from conversations.models import Chunk, Conversation, Document, Workspace
from tests.api_client import Api, problems, told
from tests.background import in_background
from tests.factories import ChunkFactory, ConversationFactory, DocumentFactory

ABOUT = {"labels": ["saving"], "topics": ["An emergency fund"], "complexity": "low", "confidence": 0.9}


@pytest.fixture
def document(workspace: Workspace) -> Document:
    return DocumentFactory(workspace=workspace, title="A guide")


def test_a_chunk_is_added_at_the_end_or_in_a_place_of_its_own(curator: Api, document: Document) -> None:
    ChunkFactory(document=document, position=4)
    added = curator.post("chunks/", {"document": document.pk, "text": "Pay the dearest card first."})
    assert added.status_code == 201
    assert (added.json()["position"], added.json()["document_title"]) == (5, "A guide")
    assert (added.json()["dimensions"], added.json()["conversation_count"]) == ({}, 0)
    second = {"document": document.pk, "text": "Keep some.", "position": 2}
    placed = curator.post("chunks/", {**second, "dimensions": ABOUT})
    assert (placed.json()["position"], placed.json()["dimensions"]) == (2, ABOUT)
    taken = curator.post("chunks/", second)
    assert problems(taken, 400) == {"non_field_errors": "unique_together"}
    assert "already exists" in told(taken)


@pytest.mark.django_db(transaction=True)
def test_chunks_that_are_added_at_the_same_moment_come_one_after_the_other(curator: Api, document: Document) -> None:
    together, answers = threading.Barrier(3), []

    def add() -> None:
        together.wait(timeout=10)
        answers.append(curator.post("chunks/", {"document": document.pk, "text": "Pay the dearest card first."}))

    for thread in [in_background(add) for _number in range(3)]:
        thread.join(timeout=20)
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["position"] for answer in answers) == [1, 2, 3]


@pytest.mark.parametrize(
    ("dimensions", "sentence"),
    [
        ({"labels": "saving"}, 'labels must be a list of texts, as in ["one", "two"].'),
        ({"topics": ["one", 2]}, 'topics must be a list of texts, as in ["one", "two"].'),
        ({"complexity": "huge"}, "complexity must be one of: low, medium, high."),
        ({"confidence": 1.2}, "confidence must be a number from 0 to 1."),
        ({"confidence": True}, "confidence must be a number from 0 to 1."),
        (["saving"], 'Give an object of names and values, as in {"age": 41}.'),
    ],
)
def test_what_a_chunk_is_about_has_its_shape(curator: Api, document: Document, dimensions: Any, sentence: str) -> None:
    refused = curator.post("chunks/", {"document": document.pk, "text": "Keep some.", "dimensions": dimensions})
    assert problems(refused, 400) == {"dimensions": "invalid" if isinstance(dimensions, dict) else "no_object"}
    assert told(refused) == sentence


def test_json_that_postgresql_cannot_store_is_made_storable_or_refused(curator: Api, document: Document) -> None:
    path = f"chunks/{ChunkFactory(document=document).pk}/"
    assert curator.patch(path, {"dimensions": {"labels": ["a\x00b"]}}).json()["dimensions"] == {"labels": ["ab"]}
    surrogate = '{"dimensions": {"about": "\\ud800"}}'
    assert curator.patch(path, surrogate, content_type="application/json").json()["dimensions"] == {"about": "�"}
    for value, code in (("1e999", "invalid"), ("[" * 60 + "]" * 60, "too_deep")):
        body = f'{{"dimensions": {{"about": {value}}}}}'
        assert problems(curator.patch(path, body, content_type="application/json"), 400) == {"dimensions": code}


def test_a_chunk_is_changed_and_stays_in_its_document(curator: Api, document: Document, workspace: Workspace) -> None:
    chunk = ChunkFactory(document=document)
    ConversationFactory(workspace=workspace, chunk=chunk)
    elsewhere = curator.patch(f"chunks/{chunk.pk}/", {"document": DocumentFactory(workspace=workspace).pk})
    assert problems(elsewhere, 400) == {"document": "kept"}
    changed = curator.patch(f"chunks/{chunk.pk}/", {"text": "New.", "dimensions": ABOUT, "document": document.pk})
    assert changed.status_code == 200
    chunk.refresh_from_db()
    assert (chunk.text, chunk.dimensions, chunk.document) == ("New.", ABOUT, document)
    assert changed.json()["conversation_count"] == 1


def test_a_deleted_chunk_leaves_its_conversations(lead: Api, document: Document, workspace: Workspace) -> None:
    chunk = ChunkFactory(document=document)
    ConversationFactory(workspace=workspace, chunk=chunk)
    assert lead.delete(f"chunks/{chunk.pk}/").status_code == 204
    assert Conversation.objects.get().chunk is None


def test_chunks_are_filtered_by_document_words_label_and_topic(curator: Api, document: Document) -> None:
    ChunkFactory(document=document, position=1, text="Save first.", dimensions=ABOUT)
    ChunkFactory(document=document, position=2, text="Then spend.")
    ChunkFactory(document=DocumentFactory(workspace=document.workspace), text="Elsewhere.")

    def texts(**asked: Any) -> list[str]:
        return [each["text"] for each in curator.get("chunks/", asked).json()["results"]]

    assert texts(document=document.pk) == ["Save first.", "Then spend."]
    assert texts(search="SPEND") == ["Then spend."]
    assert texts(label="saving") == texts(topic="An emergency fund") == ["Save first."]
    assert texts(label="An emergency fund") == []
    assert problems(curator.get("chunks/", {"document": "none"}), 400) == {"document": "invalid"}


def test_a_list_takes_as_many_queries_however_long_it_is(
    curator: Api, workspace: Workspace, document: Document, django_assert_max_num_queries: Any
) -> None:
    for _number in range(20):
        ConversationFactory(workspace=workspace, chunk=ChunkFactory(document=document))
    with django_assert_max_num_queries(12):
        listed = curator.get("chunks/").json()["results"]
    assert [each["conversation_count"] for each in listed] == [1] * 20


def test_a_role_that_may_not_is_refused(operator: Api, curator: Api, document: Document) -> None:
    assert problems(operator.post("chunks/", {"document": document.pk, "text": "Keep some."}), 403)
    assert problems(curator.delete(f"chunks/{ChunkFactory(document=document).pk}/"), 403)


def test_what_is_in_another_workspace_is_not_found(lead: Api, elsewhere: Workspace) -> None:
    theirs = ChunkFactory(document=DocumentFactory(workspace=elsewhere))
    path = f"chunks/{theirs.pk}/"
    for response in (lead.get(path), lead.patch(path, {"text": "Mine"}), lead.delete(path)):
        assert problems(response, 404) == {None: "not_found"}
    into = lead.post("chunks/", {"document": theirs.document.pk, "text": "Mine"})
    assert problems(into, 400) == {"document": "does_not_exist"}
    assert Chunk.objects.count() == 1
