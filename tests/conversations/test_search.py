"""Searching conversations: what is found, how it may be asked, and that no other workspace is seen."""

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Conversation, Workspace
from conversations.search import ENOUGH, LONGEST, SEPARATORS
from convgen.tenancy import NOTHING, workspace_scope
from tests.admin_pages import list_of, listed, member
from tests.factories import ConversationFactory, TurnFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def divorce(workspace: Workspace) -> Conversation:
    """A conversation of two turns, and another one beside it."""
    made: Conversation = ConversationFactory(
        workspace=workspace,
        conversation_id="TPL-0007",
        title="Two homes from one",
        persona="Newly divorced parent",
        emotion="Überfordert",
        topic="Rebuilding an emergency fund",
    )
    TurnFactory(conversation=made, position=1, content="Is a rainy-day fund worth it on one income? I can't see how.")
    TurnFactory(conversation=made, position=2, content="Begin with the café money: income/expense, on one page.")
    ConversationFactory(workspace=workspace, conversation_id="TPL-0008", persona="Careful saver")
    return made


def found(text: str) -> set[str]:
    return set(Conversation.objects.matching(text).values_list("conversation_id", flat=True))


@pytest.mark.parametrize(
    "text",
    [
        "TPL-0007",
        "tpl-0007",
        "homes",
        "divorced",
        "überfordert",
        "rebuilding",
        "rainy",
        "page",
        "HOMES Page",  # in the title and in a turn
        "  homes  ",
    ],
)
def test_a_word_is_found_wherever_it_stands(divorce: Conversation, text: str) -> None:
    assert found(text) == {"TPL-0007"}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("rain", True),  # the last word may be the beginning of one
        ("rain ", False),  # unless a space says that it is whole
        ("rain page", False),
        ("ra", False),  # two letters begin too many words
        ('"rain', False),
        ("TPL-000", True),
        ("TPL-000 ", False),
        ("homes nowhere", False),
        ('"rainy day fund"', True),
        ('"day rainy"', False),
        ("day rainy", True),
        ("rainy-day", True),
        ("day-rainy", False),
        ("divorced -saver", True),
        ("divorced -rainy", False),
        ('divorced -"rainy day"', False),
        ('divorced -"day rainy"', True),
        ("cafe", True),
        ("CAFÉ", True),
        ("uberfordert", True),
        ("can't", True),
        ("expense", True),
    ],
)
def test_the_forms_of_a_question(divorce: Conversation, text: str, is_found: bool) -> None:
    assert ("TPL-0007" in found(text)) == is_found


def test_a_later_version_is_found_by_the_first_ones_id(divorce: Conversation) -> None:
    ConversationFactory(workspace=divorce.workspace, conversation_id="TPL-0007-v2")
    assert found("TPL-0007") == {"TPL-0007", "TPL-0007-v2"}
    assert found("TPL-0007-v2") == {"TPL-0007-v2"}


@pytest.mark.parametrize("mark", SEPARATORS)
def test_words_divided_by_a_mark_are_words(workspace: Workspace, mark: str) -> None:
    made = ConversationFactory(workspace=workspace, title=f"left{mark}right and -5 <b>inside</b>")
    for text in ("left ", "right ", f"left{mark}right ", "5 ", "inside "):
        assert found(text) == {made.conversation_id}


@pytest.mark.parametrize(
    "text", ["", " ", '"', '"""', "-", "- -", "!!!", "':*", "\\", "\x00", "-\x00", '-"', "&|!()<->"]
)
def test_a_text_without_a_word_finds_nothing(divorce: Conversation, text: str) -> None:
    assert found(text) == set()


def test_of_a_very_long_text_the_beginning_counts(divorce: Conversation) -> None:
    assert found("homes " * 2_000) == {"TPL-0007"}
    assert found("homes ".ljust(LONGEST) + "nowhere " * 2_000) == {"TPL-0007"}
    assert found("h" * 10_000) == set()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), max_size=LONGEST + 5) | st.text("a\"-\\'&|!():*<> \x00é漢\ud800", max_size=30))
def test_any_text_can_be_asked(divorce: Conversation, text: str) -> None:
    assert found(text) <= {"TPL-0007", "TPL-0008"}


# --- Frequent and rare words are looked up in different ways, which must agree.


def test_frequent_words_are_found_with_other_conditions(workspace: Workspace) -> None:
    _many(workspace, ENOUGH + 5)
    assert len(found("cash ")) == ENOUGH + 5
    assert found("cash -even ") == {f"SCN-{number}" for number in range(1, ENOUGH + 5, 2)}
    assert found("cash unknown ") == set()
    everyone = Conversation.objects.filter(workspace=workspace)
    assert everyone.filter(tier="template").matching("cash ").count() == 0
    assert everyone.filter(tier="scenario").matching("cash ").count() == ENOUGH + 5


def test_what_matches_can_be_updated_and_deleted(divorce: Conversation) -> None:
    assert Conversation.objects.matching("divorced").update(category="family") == 1
    assert Conversation.objects.matching("saver").delete()[0] == 1
    assert list(Conversation.objects.values_list("category", flat=True)) == ["family"]


@pytest.mark.parametrize("words", ["rare7 ", '"rare7 cash"', "rare7 -unknown "])
def test_rare_words_are_looked_up_in_the_index(workspace: Workspace, words: str) -> None:
    _many(workspace, 3_000)
    _settle("conversations_searchdocument")
    with workspace_scope(workspace.pk):
        plan = Conversation.objects.matching(words).order_by("-created_at", "-id")[:50].explain()
    assert "search_document_words" in plan
    assert "Seq Scan" not in plan


def test_frequent_words_are_looked_for_from_the_newest_on(workspace: Workspace) -> None:
    _many(workspace, 3_000)
    _settle("conversations_searchdocument", "conversations_conversation")
    with workspace_scope(workspace.pk):
        plan = Conversation.objects.matching("cash ").order_by("-created_at", "-id")[:50].explain()
    assert "search_document_words" not in plan
    assert "conversations_searchdocument_pkey" in plan


# --- Other workspaces


def test_another_workspace_is_never_found(divorce: Conversation) -> None:
    other = WorkspaceFactory()
    ConversationFactory(workspace=other, conversation_id="EDG-0001", persona="Newly divorced parent")
    with workspace_scope(other.pk):
        assert found("divorced") == {"EDG-0001"}
        assert found("rainy") == set()
    with workspace_scope(NOTHING):
        assert found("divorced") == set()


def test_frequent_words_of_another_workspace_are_not_found_either(workspace: Workspace) -> None:
    _many(workspace, ENOUGH)
    other = WorkspaceFactory()
    with workspace_scope(other.pk):
        assert found("cash ") == set()
    with workspace_scope(NOTHING):
        assert found("cash ") == set()


# --- The list


def test_the_list_is_searched_by_the_words_of_turns(divorce: Conversation, admin_client: Client) -> None:
    assert listed(admin_client, Conversation, q="café income") == {divorce.pk}
    assert listed(admin_client, Conversation, q="rainy", tier__exact="edge_case") == set()
    assert len(listed(admin_client, Conversation, q=" ")) == 2
    assert "-word leaves out what has that word" in admin_client.get(list_of(Conversation)).content.decode()


def test_a_member_of_another_workspace_finds_nothing_in_the_list(divorce: Conversation) -> None:
    assert listed(member(WorkspaceFactory(), "curator"), Conversation, q="rainy") == set()
    assert listed(member(divorce.workspace, "curator"), Conversation, q="rainy") == {divorce.pk}


def _many(workspace: Workspace, count: int) -> None:
    """Scenarios that all speak of cash, each with a rare word of its own, every second one even."""
    Conversation.objects.bulk_create(
        Conversation(
            workspace=workspace,
            conversation_id=f"SCN-{number}",
            tier="scenario",
            title=f"rare{number} cash" + ("" if number % 2 else " even"),
            topic=" ".join(f"word{number * step % 997}" for step in range(2, 22)),
        )
        for number in range(count)
    )


def _settle(*tables: str) -> None:
    """Do what autovacuum does between."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('search_document_words')")
        cursor.execute("ANALYZE " + ", ".join(tables))
