"""The page of a conversation: its parts, what a reviewer decides on it, and turns without a script."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations import editing
from conversations.models import Conversation, Workspace
from tests.admin_pages import member, page_of, said
from tests.factories import ChunkFactory, ConversationFactory, UserFactory, WorkspaceFactory
from tests.talks import a_talk

pytestmark = pytest.mark.django_db


def decide(client: Client, conversation: Conversation, decision: str, note: str = "") -> Any:
    return client.post(page_of(conversation, "decide"), {"decision": decision, "note": note})


def shown(client: Client, conversation: Conversation, query: str = "") -> str:
    response = client.get(page_of(conversation) + query)
    assert response.status_code == 200
    return str(response.content.decode())


def test_the_source_stands_beside_the_dialogue(reviewer: Client, workspace: Workspace) -> None:
    chunk = ChunkFactory(document__workspace=workspace, text="Shares may fall.")
    talk = a_talk(2, workspace=workspace, chunk=chunk, document=chunk.document)
    page = shown(reviewer, talk)
    assert "Shares may fall." in page and reverse("admin:conversations_chunk_change", args=[chunk.pk]) in page


@pytest.mark.parametrize(
    ("decision", "status"),
    [("approve", "approved"), ("request_changes", "needs_revision"), ("reject", "rejected"), ("archive", "archived")],
)
def test_a_reviewer_decides_and_stays_on_the_page(
    reviewer: Client, workspace: Workspace, decision: str, status: str
) -> None:
    talk = a_talk(2, workspace=workspace)
    assert f'value="{decision}"' in shown(reviewer, talk)
    response = decide(reviewer, talk, decision, "Because.")
    assert response.url == page_of(talk)
    talk.refresh_from_db()
    assert said(response) == [f"{talk} is now {talk.get_status_display().lower()}."]
    assert (talk.status, talk.review_history[-1]["note"]) == (status, "Because.")
    assert "Because." in shown(reviewer, talk)


def test_what_the_status_does_not_allow_is_refused_and_not_offered(reviewer: Client, workspace: Workspace) -> None:
    draft = ConversationFactory(workspace=workspace)
    assert 'value="approve"' not in shown(reviewer, draft)
    assert "cannot become approved" in said(decide(reviewer, draft, "approve"))[0]
    assert decide(reviewer, draft, "burn").status_code == 302
    draft.refresh_from_db()
    assert (draft.status, draft.review_history) == ("draft", [])


def test_deciding_takes_the_permission_to_review(workspace: Workspace) -> None:
    talk = a_talk(2, workspace=workspace)
    curator = member(workspace, "curator")
    assert 'value="approve"' not in shown(curator, talk)
    assert decide(curator, talk, "approve").status_code == 403
    assert member(workspace, "reviewer").get(page_of(talk, "decide")).status_code == 405
    stranger = member(WorkspaceFactory(), "reviewer")
    assert decide(stranger, talk, "approve").url == reverse("admin:index")
    talk.refresh_from_db()
    assert talk.review_history == []


@pytest.mark.parametrize(
    ("query", "empty"), [("", 0), ("?add=2", 2), ("?add=99", 8), ("?add=x", 0), ("?add=" + "9" * 5_000, 8)]
)
def test_without_a_script_a_link_makes_room_for_more_turns(
    reviewer: Client, workspace: Workspace, query: str, empty: int
) -> None:
    talk = a_talk(2, workspace=workspace)
    page = shown(reviewer, talk, query)
    assert f'name="turns-TOTAL_FORMS" value="{2 + empty}"' in page
    assert (f'name="turns-{1 + empty}-content"' in page) and (f'name="turns-{2 + empty}-content"' not in page)


def test_nothing_is_decided_about_a_text_that_was_changed_since_it_was_read(
    reviewer: Client, workspace: Workspace
) -> None:
    talk = a_talk(2, workspace=workspace)
    seen = talk.updated_at.isoformat()
    assert f'name="seen" value="{seen}"' in shown(reviewer, talk)
    editing.update(talk, {"title": "Another one"}, by=UserFactory(is_superuser=True))
    response = reviewer.post(page_of(talk, "decide"), {"decision": "approve", "seen": seen})
    assert "has been changed since you opened its page" in said(response)[0]
    talk.refresh_from_db()
    assert (talk.status, talk.review_history) == ("generated", [])
    reviewer.post(page_of(talk, "decide"), {"decision": "approve", "seen": talk.updated_at.isoformat()})
    talk.refresh_from_db()
    assert talk.status == "approved"
