from typing import Any

import pytest

from conversations.documents import MOST_CHUNKS
from conversations.models import Conversation, Document, Workspace
from tests.api_client import Api, problems, told
from tests.factories import ChunkFactory, ConversationFactory, DocumentFactory

NEW = {
    "title": "First things first",
    "source": "handbook/first.md",
    "text": "Keep three months of pay aside.\n---\n\nPay the dearest card first.\n",
}


def test_a_document_is_taken_in_and_cut_into_chunks(curator: Api, workspace: Workspace) -> None:
    created = curator.post("documents/", NEW)
    assert created.status_code == 201
    body = created.json()
    assert (body["title"], body["source"], body["chunk_count"]) == ("First things first", "handbook/first.md", 2)
    document = Document.objects.get()
    assert (document.workspace, body["created_by"]) == (workspace, document.created_by.username)
    assert created["Location"] == f"http://testserver/api/documents/{document.pk}/"
    chunks = curator.get("chunks/", {"document": body["id"]}).json()["results"]
    assert [(each["position"], each["text"]) for each in chunks] == [
        (1, "Keep three months of pay aside."),
        (2, "Pay the dearest card first."),
    ]


def test_a_text_that_is_here_already_is_named_and_led_to(curator: Api, workspace: Workspace) -> None:
    first = curator.post("documents/", NEW).json()
    again = curator.post("documents/", {**NEW, "title": "Another name"})
    assert problems(again, 409) == {None: "same_text"}
    assert told(again) == "This text is here already, as “First things first”."
    assert again["Location"] == f"http://testserver/api/documents/{first['id']}/"
    assert Document.objects.count() == 1


def test_the_same_text_may_be_in_another_workspace(curator: Api, elsewhere: Workspace, lead: Api) -> None:
    content_hash = curator.post("documents/", NEW).json()["content_hash"]
    Document.objects.all().delete()
    DocumentFactory(workspace=elsewhere, content_hash=content_hash)
    assert curator.post("documents/", NEW).status_code == 201


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"text": "---\n---"}, {"text": "invalid"}),
        ({"text": ""}, {"text": "blank"}),
        ({"text": "a\x00b"}, {"text": "null_characters_not_allowed"}),
        ({"title": "x" * 301}, {"title": "max_length"}),
        ({"text": 7.5, "title": None}, {"title": "null"}),
    ],
)
def test_what_is_wrong_is_told_by_field(curator: Api, changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert problems(curator.post("documents/", {**NEW, **changes}), 400) == expected


def test_a_text_of_too_many_chunks_is_to_be_divided(curator: Api) -> None:
    refused = curator.post("documents/", {"title": "Words", "text": "one\n---\n" * (MOST_CHUNKS + 1)})
    assert problems(refused, 400) == {"text": "invalid"}
    assert told(refused) == "This text has 10,001 chunks: 10,000 at most. Take it in as several."


def test_title_and_source_can_be_changed_and_the_text_cannot(curator: Api, workspace: Workspace) -> None:
    document = DocumentFactory(workspace=workspace)
    before = document.content_hash
    path = f"documents/{document.pk}/"
    changed = curator.patch(path, {"title": "New", "content_hash": "0" * 64})
    assert (changed.json()["title"], changed.json()["content_hash"]) == ("New", before)
    assert problems(curator.patch(path, {"text": "Other"}), 400) == {"text": "unknown"}


def test_a_deleted_document_takes_its_chunks_and_leaves_its_conversations(lead: Api, workspace: Workspace) -> None:
    chunk = ChunkFactory(document=DocumentFactory(workspace=workspace))
    ConversationFactory(workspace=workspace, chunk=chunk, document=chunk.document)
    assert lead.delete(f"documents/{chunk.document.pk}/").status_code == 204
    conversation = Conversation.objects.get()
    assert (conversation.chunk, conversation.document) == (None, None)


def test_documents_are_listed_by_title_and_searched(curator: Api, workspace: Workspace) -> None:
    DocumentFactory(workspace=workspace, title="B guide", source="web")
    ChunkFactory(document=DocumentFactory(workspace=workspace, title="A guide"))
    listed = curator.get("documents/").json()["results"]
    assert [(each["title"], each["chunk_count"]) for each in listed] == [("A guide", 1), ("B guide", 0)]
    assert [each["title"] for each in curator.get("documents/", {"search": "WEB"}).json()["results"]] == ["B guide"]
    first = curator.get("documents/", {"page_size": 1}).json()
    assert [each["title"] for each in curator.get(first["next"]).json()["results"]] == ["B guide"]


def test_a_list_takes_as_many_queries_however_long_it_is(
    curator: Api, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    for _number in range(20):
        ChunkFactory(document=DocumentFactory(workspace=workspace))
    with django_assert_max_num_queries(12):
        assert len(curator.get("documents/").json()["results"]) == 20


def test_a_role_that_may_not_is_refused(operator: Api, curator: Api, workspace: Workspace) -> None:
    assert problems(operator.post("documents/", NEW), 403) == {None: "permission_denied"}
    assert problems(curator.delete(f"documents/{DocumentFactory(workspace=workspace).pk}/"), 403)


def test_what_is_in_another_workspace_is_not_found(lead: Api, elsewhere: Workspace) -> None:
    path = f"documents/{DocumentFactory(workspace=elsewhere).pk}/"
    for response in (lead.get(path), lead.patch(path, {"title": "Mine"}), lead.delete(path)):
        assert problems(response, 404) == {None: "not_found"}
