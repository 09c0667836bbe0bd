"""Documents and their chunks, dimensions and workspaces, as curators keep them."""

import hashlib
from typing import Any

import pytest
from django.test import Client

from conversations.models import Chunk, Dimension, Document, Workspace
from tests.admin_pages import add_to, filled_in, page_of
from tests.factories import ChunkFactory, DimensionFactory, DocumentFactory, UserFactory

pytestmark = pytest.mark.django_db

TEXT = "Keep three months of pay aside.\n---\n\nPay the dearest card first.\n"


def pasted(client: Client, text: str, title: str = "First things") -> Any:
    return client.post(add_to(Document), {"title": title, "text": text})


def test_a_pasted_text_becomes_a_document_with_chunks(curator: Client, workspace: Workspace) -> None:
    assert pasted(curator, TEXT).status_code == 302
    document = Document.objects.get()
    assert (document.workspace, document.title, document.created_by.is_staff) == (workspace, "First things", True)
    assert len(document.content_hash) == 64
    assert list(document.chunks.values_list("position", "text", "workspace")) == [
        (1, "Keep three months of pay aside.", workspace.pk),
        (2, "Pay the dearest card first.", workspace.pk),
    ]


def test_the_same_text_is_not_taken_twice(curator: Client) -> None:
    pasted(curator, TEXT)
    again = pasted(curator, TEXT, title="Another name")
    assert again.context["adminform"].form.errors["text"] == ["This text is here already, as “First things”."]
    assert Document.objects.count() == 1


def test_a_text_of_nothing_but_dashes_is_refused(curator: Client) -> None:
    refused = pasted(curator, "---\n---")
    assert "nothing but dashes" in refused.context["adminform"].form.errors["text"][0]


def test_what_a_chunk_is_about_has_its_shape(curator: Client, workspace: Workspace) -> None:
    url = page_of(ChunkFactory(document=DocumentFactory(workspace=workspace)))
    refused = curator.post(url, filled_in(curator, url, dimensions='{"labels": "saving", "complexity": "huge"}'))
    assert refused.context["adminform"].form.errors["dimensions"] == [
        'labels must be a list of texts, as in ["one", "two"].',
        "complexity must be one of: low, medium, high.",
    ]


def test_a_document_keeps_its_hash_when_it_is_renamed(curator: Client, workspace: Workspace) -> None:
    document = DocumentFactory(workspace=workspace, content_hash=hashlib.sha256(b"x").hexdigest())
    ChunkFactory(document=document)
    url = page_of(document)
    assert curator.post(url, filled_in(curator, url, title="Renamed", content_hash="0" * 64)).status_code == 302
    document.refresh_from_db()
    assert (document.title, document.content_hash) == ("Renamed", hashlib.sha256(b"x").hexdigest())


def test_the_page_of_a_document_shows_its_chunks_and_leads_to_them(curator: Client, workspace: Workspace) -> None:
    chunk = ChunkFactory(document__workspace=workspace, text="Money needed next month.")
    page = curator.get(page_of(chunk.document)).content.decode()
    assert "Money needed next month." in page
    assert page_of(chunk) in page


def test_a_chunk_belongs_to_the_workspace_of_its_document(curator: Client, workspace: Workspace) -> None:
    document = DocumentFactory(workspace=workspace)
    data = {"document": document.pk, "position": 7, "text": "More.", "dimensions": '{"complexity": "low"}'}
    assert curator.post(add_to(Chunk), data).status_code == 302
    chunk = Chunk.objects.get()
    assert (chunk.workspace, chunk.position, chunk.dimensions) == (workspace, 7, {"complexity": "low"})


def test_a_chunk_is_changed_on_its_own_page(curator: Client, workspace: Workspace) -> None:
    chunk = ChunkFactory(document__workspace=workspace)
    assert curator.post(page_of(chunk), filled_in(curator, page_of(chunk), text="New words.")).status_code == 302
    chunk.refresh_from_db()
    assert chunk.text == "New words."


def test_attributes_are_shown_indented_and_must_be_an_object(curator: Client, workspace: Workspace) -> None:
    dimension = DimensionFactory(workspace=workspace, attributes={"age": 41, "job": "Pflegekraft für Ältere"})
    url = page_of(dimension)
    assert "Pflegekraft für Ältere" in curator.get(url).content.decode()
    refused = curator.post(url, filled_in(curator, url, attributes='["age"]'))
    assert "must be an object" in refused.context["adminform"].form.errors["attributes"][0]
    assert Dimension.objects.get().attributes["age"] == 41


def test_a_member_is_added_on_the_page_of_the_workspace(admin_client: Client, workspace: Workspace) -> None:
    user = UserFactory()
    url = page_of(workspace)
    new = {"memberships-TOTAL_FORMS": 1, "memberships-0-user": user.pk, "memberships-0-role": "reviewer"}
    assert admin_client.post(url, filled_in(admin_client, url, **new)).status_code == 302
    assert user.memberships.get().workspace == workspace
