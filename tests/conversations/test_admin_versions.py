"""The timeline of versions on a conversation's page, and two of them side by side."""

import pytest
from django.test import Client
from django.urls import reverse

from conversations import versions
from conversations.models import Conversation, Workspace
from tests.admin_pages import browser_of, list_of, member, page_of, queries_of, said
from tests.factories import ConversationFactory, TurnFactory, UserFactory, WorkspaceFactory
from tests.statuses import put

pytestmark = pytest.mark.django_db


def a_chain(workspace: Workspace, length: int, *, stem: str = "TPL-0001") -> list[Conversation]:
    """Written versions; the last one is current."""
    chain = [ConversationFactory(workspace=workspace, conversation_id=stem, status="approved", turn_count=2)]
    for _version in range(length - 1):
        chain.append(written(versions.prepare(chain[-1])))
    for number, version in enumerate(chain, start=1):
        version.refresh_from_db()
        for position, content in enumerate(["What now?", f"Wait {number} months."], start=1):
            TurnFactory(
                conversation=version, position=position, role=("assistant", "user")[position % 2], content=content
            )
    return chain


def written(version: Conversation) -> Conversation:
    versions.supersede(version)
    put(version, "generated", turn_count=2, quality_score="8.4")
    return version


def shown(client: Client, url: str) -> str:
    """A page's words, with single spaces."""
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def compare_page(version: Conversation, **query: object) -> str:
    return reverse("admin:conversations_conversation_compare", args=[version.pk], query=query or None)


# --- The timeline


def test_the_timeline_shows_every_version_newest_first_and_marks_the_current(
    curator: Client, workspace: Workspace
) -> None:
    first, second, third = a_chain(workspace, 3)
    page = shown(curator, page_of(second))
    timeline = page[page.index('<ol class="versions"') :]
    places = [timeline.index(text) for text in (">TPL-0001-v3<", ">TPL-0001-v2<", ">TPL-0001<")]
    assert places == sorted(places)
    assert f'<li class="current"> <a href="{page_of(third)}">TPL-0001-v3</a>' in timeline
    assert '<strong aria-current="page">TPL-0001-v2</strong>' in timeline
    assert f'<a href="{page_of(first)}">TPL-0001</a>' in timeline
    assert "quality 8.4" in timeline
    assert compare_page(third, before=2, after=3).replace("&", "&amp;") in timeline
    assert "The current version is TPL-0001-v3." in page


def test_the_new_version_says_that_the_former_is_archived_and_the_former_by_what(
    curator: Client, workspace: Workspace
) -> None:
    first, second = a_chain(workspace, 2)
    assert "Conversation regenerated. The previous version, TPL-0001, is archived." in shown(curator, page_of(second))
    assert "<strong>Superseded</strong>, at a score" not in shown(curator, page_of(first))
    assert "<strong>Superseded</strong>: Regenerated as TPL-0001-v2." in shown(curator, page_of(first))


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("draft", "This version is to replace TPL-0001 once it is written. TPL-0001 stays as it is until then."),
        ("generating", "Claude is writing this version at the moment"),
        ("failed", "This regeneration failed, and TPL-0001 is as it was. Regenerate it once more."),
    ],
)
def test_a_version_under_way_says_how_it_stands(
    curator: Client, workspace: Workspace, status: str, sentence: str
) -> None:
    (original,) = a_chain(workspace, 1)
    draft = versions.prepare(original)
    put(draft, status, claim=draft.pk if status == "generating" else None)
    assert sentence in shown(curator, page_of(draft))
    assert f"TPL-0001-v2 is to replace this version ({status})." in shown(curator, page_of(original))


def test_a_plain_draft_has_no_timeline(curator: Client, workspace: Workspace) -> None:
    assert 'class="versions"' not in shown(curator, page_of(ConversationFactory(workspace=workspace)))


def test_a_longer_chain_takes_no_more_queries(curator: Client, workspace: Workspace) -> None:
    short, long = a_chain(workspace, 2), a_chain(workspace, 5, stem="TPL-0002")
    for page in (page_of, compare_page):
        assert len(queries_of(curator, page(short[-1]))) == len(queries_of(curator, page(long[-1])))


# --- Side by side


def test_two_versions_stand_side_by_side(curator: Client, workspace: Workspace) -> None:
    _first, second = a_chain(workspace, 2)
    page = shown(curator, compare_page(second))
    assert "Wait <del>1 </del>months." in page
    assert "Wait <ins>2 </ins>months." in page
    assert '<th scope="row">Quality score</th><td>–</td><td>8.4</td>' in page
    assert "1. user, the same" in page
    assert " style=" not in page[page.index('id="content"') :]


def test_any_two_versions_of_a_chain_are_compared(curator: Client, workspace: Workspace) -> None:
    _first, _second, third = a_chain(workspace, 3)
    page = shown(curator, compare_page(third, before=1, after=2))
    assert "Wait <del>1 </del>months." in page
    assert '<option value="1" selected>TPL-0001</option>' in page


@pytest.mark.parametrize("number", ["9", "x", ""])
def test_a_version_that_there_is_not_is_refused(curator: Client, workspace: Workspace, number: str) -> None:
    _first, second = a_chain(workspace, 2)
    assert "There is no such version. Choose two of the list." in shown(curator, compare_page(second, before=number))


def test_what_was_said_is_shown_as_text(curator: Client, workspace: Workspace) -> None:
    _first, second = a_chain(workspace, 2)
    second.turns.filter(position=2).update(content="<script>alert(1)</script>")
    assert "<script>alert" not in shown(curator, compare_page(second))
    assert "alert" in shown(curator, compare_page(second))


def test_versions_of_another_workspace_are_not_compared(curator: Client) -> None:
    _first, second = a_chain(WorkspaceFactory(), 2)
    response = curator.get(compare_page(second))
    assert response.url == reverse("admin:index")  # type: ignore[attr-defined]
    (message,) = said(response)
    assert "doesn’t exist" in message


def test_comparing_takes_the_permission_to_look(workspace: Workspace) -> None:
    _first, second = a_chain(workspace, 2)
    lacking = ["view_conversation", "change_conversation"]
    assert member(workspace, "curator", without=lacking).get(compare_page(second)).status_code == 403
    assert browser_of(UserFactory()).get(compare_page(second)).status_code == 302, "to the page of signing in"


# --- Deleting


def test_a_deleted_version_leaves_the_others_readable(admin_client: Client, workspace: Workspace) -> None:
    first, second, third = a_chain(workspace, 3)
    assert admin_client.post(page_of(second, "delete"), {"post": "yes"}).status_code == 302
    page = shown(admin_client, page_of(third))
    assert ">TPL-0001<" in page and ">TPL-0001-v2<" not in page
    third.refresh_from_db()
    assert (third.parent, third.version) == (None, 3)
    assert first.conversation_id in shown(admin_client, list_of(Conversation))
