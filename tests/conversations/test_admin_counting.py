"""Lists of more rows than are counted: they say so, their pages work, and nothing is done to all of them at once."""

from typing import Any

import pytest
from django.test import Client

from conversations.admin import counting
from conversations.admin.counting import CappedPaginator
from conversations.models import Conversation, Workspace
from tests.admin_pages import confirmed, list_of, queries_of, said
from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def _counts_to_sixty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST", 60)


def conversations(workspace: Workspace, number: int) -> None:
    draft = ConversationFactory(workspace=workspace)
    Conversation.objects.bulk_create(
        Conversation(workspace=workspace, conversation_id=f"X-{each}", tier=draft.tier, persona="Nurse")
        for each in range(number - 1)
    )


def page(client: Client, **filters: Any) -> str:
    response = client.get(list_of(Conversation, **filters))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@pytest.mark.usefixtures("_counts_to_sixty")
@pytest.mark.parametrize(("number", "count", "more"), [(0, 0, False), (1, 1, False), (60, 60, False), (61, 60, True)])
def test_counting_ends_and_says_whether_there_is_more(
    workspace: Workspace, number: int, count: int, more: bool
) -> None:
    if number:
        conversations(workspace, number)
    pages = CappedPaginator(Conversation.objects.order_by("-created_at", "-id"), 50)
    assert (pages.count, pages.more) == (count, more)


def test_ten_thousand_are_counted() -> None:
    assert counting.MOST == 10_000


@pytest.mark.usefixtures("_counts_to_sixty")
def test_a_list_of_more_says_so_in_words(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 61)
    assert "more than 60 conversations" in page(admin_client)
    assert "Filter or search to reach those beyond." in page(admin_client)


@pytest.mark.usefixtures("_counts_to_sixty")
def test_a_search_that_finds_more_says_so_in_words(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 62)
    assert "more than 60 results" in page(admin_client, q="Nurse")
    assert "1 result " in page(admin_client, q="saver")


@pytest.mark.usefixtures("_counts_to_sixty")
def test_a_list_of_as_many_says_the_number(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 60)
    assert "more than" not in page(admin_client)
    assert "60 conversations" in page(admin_client)


@pytest.mark.usefixtures("_counts_to_sixty")
def test_its_pages_go_as_far_as_it_counts(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 61)
    second = admin_client.get(list_of(Conversation, p=2))
    assert len(second.context["cl"].result_list) == 10
    assert admin_client.get(list_of(Conversation, p=3)).status_code == 302


@pytest.mark.usefixtures("_counts_to_sixty")
def test_all_of_what_was_not_counted_cannot_be_selected(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 60)
    assert "Select all 60" in page(admin_client)
    ConversationFactory(workspace=workspace)
    assert "Select all" not in page(admin_client)


def archive_all(client: Client) -> str:
    one = Conversation.objects.all()[0].pk
    data = {"action": "archive", "_selected_action": [one], "select_across": "1"}
    return " ".join(said(confirmed(client, list_of(Conversation), data)))


@pytest.mark.usefixtures("_counts_to_sixty")
def test_an_action_on_all_of_what_was_not_counted_is_refused(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 61)
    assert "These are too many to act on at once." in archive_all(admin_client)
    assert not Conversation.objects.filter(status="archived").exists()


@pytest.mark.usefixtures("_counts_to_sixty")
def test_an_action_on_all_of_what_was_counted_is_done(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 60)
    assert "60 conversations are now archived." in archive_all(admin_client)


def test_no_query_of_the_list_counts_without_an_end(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 3)
    counts = [query for query in queries_of(admin_client, list_of(Conversation)) if "COUNT(" in query]
    assert counts
    assert all("LIMIT 10001" in query for query in counts)


def test_columns_without_an_index_are_not_sorted_by(admin_client: Client, workspace: Workspace) -> None:
    conversations(workspace, 3)
    text = page(admin_client)
    assert text.count('class="sortable') == 5


def test_what_a_search_finds_is_counted_less_far(
    admin_client: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "FOUND", 2)
    conversations(workspace, 4)
    assert "more than 2 results" in page(admin_client, q="Nurse")
    assert "4 conversations" in page(admin_client)
    assert "3 results" in page(admin_client, persona="Nurse")
