"""A conversation's page as an editor: turns, what is said of the score, and what is refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations import editing, versions
from conversations.models import Conversation, Edit
from tests.admin_pages import filled_in, list_of, member, page_of, queries_of, said
from tests.factories import BatchItemFactory, PromptTemplateFactory, WorkspaceFactory
from tests.statuses import put
from tests.talks import a_talk, turns

pytestmark = pytest.mark.django_db


def save(client: Client, conversation: Conversation, **changes: Any) -> list[str]:
    """Save the page with some changes, and return what it says."""
    return said(client.post(page_of(conversation), filled_in(client, page_of(conversation), **changes)))


def contents(conversation: Conversation) -> list[tuple[int, str, str]]:
    return list(conversation.turns.order_by("position").values_list("position", "role", "content"))


def added(*said: tuple[str, str], after: int) -> dict[str, str]:
    """What the form holds when turns were added to the `after` that there are."""
    data = {"turns-TOTAL_FORMS": str(after + len(said))}
    for number, (role, content) in enumerate(said, start=after):
        data |= {f"turns-{number}-role": role, f"turns-{number}-content": content}
    return data


def test_a_curator_changes_a_turn_and_is_told_the_score_before_and_after() -> None:
    talk = a_talk(6)
    told = save(member(talk.workspace), talk, **added(("user", "And then?"), ("assistant", "Wait."), after=6))
    assert told[0] == "Quality 9.3 → 10.0."
    assert contents(talk)[:6] == [(place, *turn.values()) for place, turn in enumerate(turns(6), start=1)]
    assert contents(talk)[6:] == [(7, "user", "And then?"), (8, "assistant", "Wait.")]
    talk.refresh_from_db()
    assert (str(talk.quality_score), talk.turn_count, talk.status) == ("10.0", 8, "generated")


def test_a_removed_turn_is_gone_and_the_rest_close_ranks() -> None:
    talk = a_talk(8)
    save(member(talk.workspace), talk, **{"turns-2-DELETE": "on", "turns-3-DELETE": "on", "turns-0-content": "Hm?"})
    left = [turn for number, turn in enumerate(turns(8)) if number not in (2, 3)]
    expected = [(place, turn["role"], turn["content"]) for place, turn in enumerate(left, start=1)]
    assert contents(talk) == [(1, "user", "Hm?"), *expected[1:]]


def test_what_becomes_weak_is_sent_to_review_and_the_page_says_so() -> None:
    talk = a_talk(2)
    told = save(member(talk.workspace), talk, **{"turns-0-DELETE": "on", "turns-1-content": "No"})
    assert told[1] == "It now waits for review."
    talk.refresh_from_db()
    assert talk.status == "pending_review"


def test_saving_the_page_as_it_stands_changes_nothing() -> None:
    talk = a_talk(turns=[{"role": "user", "content": " Two blanks \nand a line \n"}, *turns(8)[1:]])
    before = Conversation.objects.filter(pk=talk.pk).values().get(), contents(talk)
    told = save(member(talk.workspace), talk)
    assert not any("Quality" in sentence for sentence in told)
    assert (Conversation.objects.filter(pk=talk.pk).values().get(), contents(talk)) == before
    assert not Edit.objects.exists()


def test_an_emptied_turn_is_refused_beside_what_was_typed_elsewhere() -> None:
    talk = a_talk(8)
    client = member(talk.workspace)
    changes = {"turns-0-content": "Kept in the form.", "turns-3-content": "  "}
    page = client.post(page_of(talk), filled_in(client, page_of(talk), **changes)).content.decode()
    assert "Turn 4 is empty: write what is said, or remove the turn." in page
    assert "Kept in the form." in page
    assert contents(talk)[0][2] == turns(8)[0]["content"]


def test_the_last_turn_cannot_be_removed() -> None:
    talk = a_talk(1)
    client = member(talk.workspace)
    page = client.post(page_of(talk), filled_in(client, page_of(talk), **{"turns-0-DELETE": "on"})).content.decode()
    assert "Leave one turn at least." in page
    assert talk.turns.count() == 1


def test_who_and_what_is_shown_with_the_turns_before() -> None:
    talk = a_talk(8)
    client = member(talk.workspace)
    assert "Not edited yet." in client.get(page_of(talk)).content.decode()
    save(client, talk, **{"turns-0-content": "Something new."}, title="New")
    page = client.get(page_of(talk)).content.decode()
    assert "The 8 turns before" in page
    assert turns(8)[0]["content"] in page
    assert Edit.objects.get().edited_by is not None
    assert LogEntry.objects.get().get_change_message() == "Changed Title. Changed content for turn “1. user”."


@pytest.mark.parametrize("status", ["draft", "failed", "approved", "rejected", "archived"])
def test_settled_turns_can_be_read_and_not_written(status: str) -> None:
    talk = a_talk(8)
    put(talk, status)
    client = member(talk.workspace)
    page = client.get(page_of(talk)).content.decode()
    assert turns(8)[0]["content"] in page
    assert 'name="turns-0-content"' not in page
    save(client, talk, **{"turns-0-content": "Rewritten.", "turns-1-DELETE": "on"}, title="New")
    talk.refresh_from_db()
    assert (talk.title, len(contents(talk)), contents(talk)[0][2]) == ("New", 8, turns(8)[0]["content"])


def test_nothing_can_be_written_while_it_is_generated() -> None:
    talk = a_talk(8)
    put(talk, "generating", claim=uuid4(), claim_expires_at=timezone.now())
    page = member(talk.workspace).get(page_of(talk)).content.decode()
    assert 'name="title"' not in page
    assert 'name="turns-0-content"' not in page


def test_who_may_not_change_conversations_reads_the_turns() -> None:
    talk = a_talk(8)
    client = member(talk.workspace, without=["change_conversation"])
    page = client.get(page_of(talk)).content.decode()
    assert turns(8)[0]["content"] in page
    assert 'name="turns-0-content"' not in page
    assert client.post(page_of(talk), {"title": "New"}).status_code == 403


def test_what_somebody_else_saved_meanwhile_is_not_overwritten() -> None:
    talk = a_talk(8)
    client = member(talk.workspace)
    mine = filled_in(client, page_of(talk), title="Mine", **{"turns-0-content": "Mine."})
    editing.update(talk, {"title": "Theirs"}, by=None)
    page = client.post(page_of(talk), mine).content.decode()
    assert "Somebody else has changed the conversation since you opened it." in page
    assert ">\nMine.</textarea>" in page, "what was typed is not lost"
    talk.refresh_from_db()
    assert (talk.title, contents(talk)[0][2]) == ("Theirs", turns(8)[0]["content"])


@contextmanager
def at_the_last_moment(act: Callable[[], object]) -> Iterator[None]:
    """Do something when the page has looked at the conversation, and before the row is locked."""
    acted: list[object] = []

    def watched(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "FOR UPDATE" in sql and "conversations_conversation" in sql and not acted:
            acted.append(True)
            act()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watched):
        yield
    assert acted


def test_nor_what_was_saved_at_the_last_moment() -> None:
    talk = a_talk(8)
    client = member(talk.workspace)
    mine = filled_in(client, page_of(talk), title="Mine")
    row = Conversation.objects.filter(pk=talk.pk)
    with at_the_last_moment(lambda: row.update(title="Theirs", updated_at=timezone.now())):
        told = said(client.post(page_of(talk), mine))
    assert told[0].startswith("Nothing was changed. Somebody else has changed the conversation")
    assert row.get().title != "Mine"


def test_what_is_approved_at_the_last_moment_keeps_its_turns() -> None:
    talk = a_talk(8)
    client = member(talk.workspace)
    mine = filled_in(client, page_of(talk), **{"turns-0-content": "Mine."})
    with at_the_last_moment(lambda: put(talk, "approved")):
        told = said(client.post(page_of(talk), mine))
    assert told[0].startswith("Nothing was changed. ")
    assert contents(talk)[0][2] == turns(8)[0]["content"]


@pytest.mark.parametrize("seen", ["", "yesterday"])
def test_a_form_that_does_not_say_what_was_seen_is_saved(seen: str) -> None:
    talk = a_talk(8)
    save(member(talk.workspace), talk, title="Mine", seen=seen)
    talk.refresh_from_db()
    assert talk.title == "Mine"


def test_turns_of_another_conversation_are_out_of_reach() -> None:
    talk, other = a_talk(2), a_talk(2, seed=2)
    client = member(talk.workspace)
    data = filled_in(client, page_of(talk), **{"turns-0-id": str(other.turns.all()[0].pk), "turns-0-content": "Mine."})
    client.post(page_of(talk), data)
    assert contents(other)[0][2] == turns(2, seed=2)[0]["content"]


# --- Deleting ---------------------------------------------------------------------------------------------


def test_a_lead_deletes_it_for_good() -> None:
    talk = a_talk(2)
    client = member(talk.workspace, "lead")
    assert client.get(page_of(talk, "delete")).status_code == 200
    told = said(client.post(page_of(talk, "delete"), {"post": "yes"}))
    assert "deleted successfully" in told[0]
    assert not Conversation.objects.filter(pk=talk.pk).exists()


@pytest.mark.parametrize("role", ["curator", "reviewer", "operator"])
def test_nobody_else_does(role: str) -> None:
    talk = a_talk(2)
    assert member(talk.workspace, role).post(page_of(talk, "delete"), {"post": "yes"}).status_code == 403
    assert Conversation.objects.filter(pk=talk.pk).exists()


def test_what_waits_in_a_batch_has_no_delete_button() -> None:
    talk = a_talk(2)
    BatchItemFactory(conversation=talk, status="queued", job__workspace=talk.workspace)
    client = member(talk.workspace, "lead")
    assert page_of(talk, "delete") not in client.get(page_of(talk)).content.decode()
    assert client.post(page_of(talk, "delete"), {"post": "yes"}).status_code == 403


def test_what_is_being_regenerated_stays_and_the_page_says_why() -> None:
    template = PromptTemplateFactory()
    talk = a_talk(2, workspace=template.workspace, template=template)
    version = versions.prepare(talk)
    BatchItemFactory(conversation=version, status="queued", job__workspace=talk.workspace)
    told = said(member(talk.workspace, "lead").post(page_of(talk, "delete"), {"post": "yes"}))
    assert told == [
        f"Nothing was changed. {talk} cannot be deleted now. It is being regenerated: wait until {version} is done, "
        "or cancel the batch that it waits in."
    ]
    assert Conversation.objects.filter(pk=talk.pk).exists()


# --- No query for each turn or conversation -----------------------------------------------------------------


def test_the_page_asks_as_often_for_sixteen_turns_as_for_two() -> None:
    workspace = WorkspaceFactory()
    two, sixteen = a_talk(2, workspace=workspace), a_talk(16, seed=2, workspace=workspace)
    client = member(workspace)
    queries_of(client, page_of(two))  # content types and permissions are kept
    assert len(queries_of(client, page_of(two))) == len(queries_of(client, page_of(sixteen)))


def test_saving_asks_as_often_for_sixteen_turns_as_for_two() -> None:
    workspace = WorkspaceFactory()
    client = member(workspace)
    asked = []
    for count in (2, 2, 16):
        talk = a_talk(count, seed=len(asked), workspace=workspace)
        data = filled_in(client, page_of(talk), **{"turns-0-content": "New?", "turns-1-content": "New."})
        with CaptureQueriesContext(connection) as captured:
            assert client.post(page_of(talk), data).status_code == 302
        asked.append(len(captured))
    assert asked[1] == asked[2]


def test_list_and_search_ask_as_often_for_fifty_as_for_one() -> None:
    workspace = WorkspaceFactory()
    a_talk(2, seed=99, workspace=workspace, title="Harvest")
    client = member(workspace)
    urls = [list_of(Conversation), list_of(Conversation, q="harvest"), list_of(Conversation, q="w99x1x1")]
    for url in urls:
        queries_of(client, url)
    one = [len(queries_of(client, url)) for url in urls]
    for seed in range(49):
        a_talk(2, seed=seed, workspace=workspace, title="Harvest", turns=[*turns(2, seed=seed), *turns(1, seed=99)])
    assert [len(queries_of(client, url)) for url in urls] == one
