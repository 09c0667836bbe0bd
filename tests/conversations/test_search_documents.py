"""A conversation's search document: true whoever writes, and written in its workspace's scope alone."""

from datetime import timedelta
from importlib import import_module
from threading import Event
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.migrations.loader import MigrationLoader

from conversations.models import Conversation, Turn
from conversations.models.search_document import SearchDocument
from convgen.tenancy import EVERY, NOTHING, workspace_scope
from tests.background import in_background, until_locks_are_waited_for
from tests.factories import ConversationFactory, TurnFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory(title="Before")
    TurnFactory(conversation=made, position=1, content="first words")
    return made


def found(text: str) -> bool:
    return Conversation.objects.matching(text).exists()


def execute(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_a_turn_changed_by_raw_sql_is_found_by_its_new_words(conversation: Conversation) -> None:
    execute("UPDATE conversations_turn SET content = 'other text' WHERE conversation_id = %s", conversation.pk)
    assert found("other text ")
    assert not found("first ")
    assert found("before ")


def test_a_renamed_conversation_is_found_by_its_new_title(conversation: Conversation) -> None:
    Conversation.objects.update(title="Afterwards")
    assert found("afterwards first ")
    assert not found("before ")


@pytest.mark.parametrize("field", ["conversation_id", "title", "persona", "emotion", "topic"])
def test_every_word_of_it_is_kept(conversation: Conversation, field: str) -> None:
    Conversation.objects.update(**{field: "Renamed"})
    assert found("renamed first ")


def test_a_change_of_status_writes_no_document(conversation: Conversation) -> None:
    before = _place(conversation)
    Conversation.objects.update(status="archived", category="family")
    assert _place(conversation) == before
    Conversation.objects.update(title="Afterwards")
    assert _place(conversation) != before


def test_many_at_once_are_found(conversation: Conversation) -> None:
    others = Conversation.objects.bulk_create(
        Conversation(workspace=conversation.workspace, conversation_id=f"EDG-{number}", tier="edge_case")
        for number in range(3)
    )
    Turn.objects.bulk_create(
        Turn(workspace=other.workspace, conversation=other, position=position, role="user", content=f"said{position}")
        for other in others
        for position in (1, 2)
    )
    assert Conversation.objects.matching('"said1 said2"').count() == 3


def test_a_turn_that_moves_is_found_where_it_went(conversation: Conversation) -> None:
    other = ConversationFactory(workspace=conversation.workspace)
    Turn.objects.update(conversation=other)
    assert Conversation.objects.matching("first ").get() == other


def test_a_deleted_turn_is_no_longer_found(conversation: Conversation) -> None:
    conversation.turns.all().delete()
    assert not found("first ")
    assert found("before ")


def test_the_document_goes_with_its_conversation(conversation: Conversation) -> None:
    conversation.delete()
    assert not SearchDocument.objects.exists()


def test_documents_go_with_their_workspace(conversation: Conversation) -> None:
    Turn.objects.all().delete()
    Conversation.objects.all().update(template=None)
    conversation.workspace.delete()
    assert not SearchDocument.objects.exists()


def test_the_date_is_the_conversations(conversation: Conversation) -> None:
    earlier = conversation.created_at - timedelta(days=400)
    Conversation.objects.update(created_at=earlier)
    assert SearchDocument.objects.get().created_at == earlier


def test_a_conversation_of_any_length_is_saved_and_found_by_its_beginning(conversation: Conversation) -> None:
    different = " ".join(f"wörter{number}-{number * 7}" for number in range(300_000))
    TurnFactory(conversation=conversation, position=2, content=different)
    assert found("first wörter77 ")
    assert not found("wörter299999 ")


def test_a_word_too_long_to_be_kept_does_no_harm(conversation: Conversation) -> None:
    TurnFactory(conversation=conversation, position=2, content="a" * 5_000 + " after")
    assert found("after ")


def test_the_migration_writes_the_documents_of_what_was_there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [TurnFactory(content=f"words of {number}").conversation for number in range(5)]
    SearchDocument.objects.all().delete()
    [name] = [name for _app, name in MigrationLoader(connection).disk_migrations if name.endswith("_search_fill")]
    migration = import_module(f"conversations.migrations.{name}")
    monkeypatch.setattr(migration, "AT_ONCE", 2)
    with workspace_scope(NOTHING):
        migration.fill(apps, SimpleNamespace(connection=connection))
    for number, conversation in enumerate(made):
        assert Conversation.objects.matching(f'"words of {number}"').get() == conversation


@pytest.mark.django_db(transaction=True)
def test_two_who_write_turns_of_one_conversation_at_once_are_both_found(conversation: Conversation) -> None:
    begun = Event()

    def write() -> None:
        with workspace_scope(EVERY):
            begun.set()
            TurnFactory(conversation=conversation, position=3, content="third")

    with transaction.atomic():
        TurnFactory(conversation=conversation, position=2, content="second")
        thread = in_background(write)
        begun.wait(10)
        until_locks_are_waited_for()
    thread.join(10)
    assert found("first second third ")


# --- Only the workspace's own scope writes them, though every scope could read.


def test_a_document_cannot_be_written_into_another_workspace(conversation: Conversation) -> None:
    stranger = WorkspaceFactory()
    row = SearchDocument.objects.get()
    with workspace_scope(stranger.pk):
        assert not SearchDocument.objects.exists()
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            execute("INSERT INTO conversations_searchdocument VALUES (%s, %s, now(), '')", row.pk, row.workspace_id)
        execute("UPDATE conversations_searchdocument SET document = ''")
        execute("DELETE FROM conversations_searchdocument")
    assert found("first ")
    with workspace_scope(row.workspace_id):
        assert SearchDocument.objects.update(document="") == 1


def test_a_document_cannot_belong_to_a_conversation_of_another_workspace(conversation: Conversation) -> None:
    row = SearchDocument.objects.get()
    with pytest.raises(IntegrityError, match="search_document_same_workspace"), transaction.atomic():
        SearchDocument.objects.filter(pk=row.pk).update(workspace=WorkspaceFactory())


def _place(conversation: Conversation) -> str:
    """Where the row lies: every write puts it somewhere else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid FROM conversations_searchdocument WHERE conversation_id = %s", [conversation.pk])
        return str(cursor.fetchone()[0])
