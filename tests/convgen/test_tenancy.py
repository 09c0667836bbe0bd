"""PostgreSQL keeps each workspace's rows to itself, whatever the code above does."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model

from batches.models import BatchItem, MessageBatch
from conversations.models import Chunk, Conversation, Dimension, Turn, Workspace
from convgen.database.backend import base
from convgen.tenancy import EVERY, NOTHING, current_scope, workspace_scope
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ChunkFactory,
    ConversationFactory,
    MessageBatchFactory,
    PromptTemplateFactory,
    TurnFactory,
)

pytestmark = pytest.mark.django_db

REFUSED = "violates row-level security policy"


@pytest.fixture
def ours() -> Conversation:
    return ConversationFactory()


@pytest.fixture
def theirs() -> Conversation:
    return ConversationFactory()


def _visible() -> set[Any]:
    return set(Conversation.objects.values_list("pk", flat=True))


# The scope.


def test_a_scope_shows_the_rows_of_its_workspace_alone(ours: Conversation, theirs: Conversation) -> None:
    with workspace_scope(ours.workspace_id):
        assert _visible() == {ours.pk}
    with workspace_scope(theirs.workspace_id):
        assert _visible() == {theirs.pk}


def test_outside_of_a_scope_there_is_nothing(ours: Conversation) -> None:
    with workspace_scope(NOTHING):
        assert _visible() == set()
        assert not Workspace.objects.exists()


def test_every_workspace_shows_all_of_them(ours: Conversation, theirs: Conversation) -> None:
    with workspace_scope(EVERY):
        assert _visible() == {ours.pk, theirs.pk}


def test_scopes_nest(ours: Conversation, theirs: Conversation) -> None:
    with workspace_scope(ours.workspace_id):
        with workspace_scope(theirs.workspace_id):
            assert _visible() == {theirs.pk}
        assert _visible() == {ours.pk}


def test_a_scope_ends_with_an_exception_too(ours: Conversation) -> None:
    with workspace_scope(NOTHING):
        with pytest.raises(ZeroDivisionError), workspace_scope(ours.workspace_id):
            raise ZeroDivisionError
        assert current_scope() is NOTHING
        assert _visible() == set()


def test_a_scope_survives_a_savepoint_that_is_rolled_back(ours: Conversation, theirs: Conversation) -> None:
    with workspace_scope(ours.workspace_id):
        with transaction.atomic(), workspace_scope(theirs.workspace_id):
            assert _visible() == {theirs.pk}
            transaction.set_rollback(True)
        assert _visible() == {ours.pk}


def test_a_statement_that_fails_in_an_inner_scope_leaves_the_outer_one(
    ours: Conversation, theirs: Conversation
) -> None:
    with workspace_scope(ours.workspace_id):
        with pytest.raises(DatabaseError), transaction.atomic(), workspace_scope(theirs.workspace_id):
            connection.cursor().execute("SELECT 1/0")
        assert _visible() == {ours.pk}


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_each_statement_is_in_scope(ours: Conversation, theirs: Conversation) -> None:
    assert not connection.in_atomic_block
    with workspace_scope(ours.workspace_id):
        assert _visible() == {ours.pk}
        assert [row.pk for row in Conversation.objects.iterator(chunk_size=1)] == [ours.pk]
        assert Conversation.objects.update(title="Ours") == 1
    theirs.refresh_from_db()
    assert theirs.title == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [True, False])
def test_nothing_of_a_scope_stays_on_the_connection(ours: Conversation, *, atomic: bool) -> None:
    with workspace_scope(ours.workspace_id):
        if atomic:
            with transaction.atomic():
                _visible()
        else:
            _visible()
    with connection.connection.cursor() as cursor:  # psycopg's own: past everything that Django and we do
        cursor.execute("SELECT current_setting('convgen.workspace', true), current_setting('convgen.every_workspace')")
        assert cursor.fetchone() == ("", "")
        cursor.execute("SELECT count(*) FROM conversations_conversation")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_serves_two_workspaces_in_turn_never_mixes_them(
    ours: Conversation, theirs: Conversation
) -> None:
    backends = set()
    for _ in range(5):
        for conversation in (ours, theirs):
            with workspace_scope(conversation.workspace_id):
                assert _visible() == {conversation.pk}
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                backends.add(cursor.fetchone())
    assert len(backends) == 1


# What the database refuses.


@pytest.fixture
def in_our_scope(ours: Conversation, theirs: Conversation) -> Iterator[None]:
    with workspace_scope(ours.workspace_id):
        yield


def test_a_row_cannot_be_created_in_another_workspace(in_our_scope: None, theirs: Conversation) -> None:
    with pytest.raises(DatabaseError, match=REFUSED):
        Dimension.objects.create(workspace_id=theirs.workspace_id, kind="persona", name="Intruder")


def test_a_row_cannot_be_moved_to_another_workspace(
    in_our_scope: None, ours: Conversation, theirs: Conversation
) -> None:
    with pytest.raises(DatabaseError, match=REFUSED):
        Conversation.objects.filter(pk=ours.pk).update(workspace_id=theirs.workspace_id, template=None)


def test_rows_of_another_workspace_are_neither_changed_nor_deleted(in_our_scope: None, theirs: Conversation) -> None:
    assert Conversation.objects.filter(pk=theirs.pk).update(title="Taken") == 0
    assert Conversation.objects.filter(pk=theirs.pk).delete()[0] == 0
    with workspace_scope(EVERY):
        theirs.refresh_from_db()
    assert theirs.title == ""


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM conversations_conversation WHERE id = %s",
        "WITH changed AS (UPDATE conversations_conversation SET title = 'x' WHERE id = %s RETURNING id) "
        "SELECT count(*) FROM changed",
        "WITH gone AS (DELETE FROM conversations_turn WHERE conversation_id = %s RETURNING id) "
        "SELECT count(*) FROM gone",
    ],
    ids=["read", "update", "delete"],
)
def test_raw_sql_reaches_no_other_workspace(ours: Conversation, theirs: Conversation, statement: str) -> None:
    TurnFactory(conversation=theirs)
    with workspace_scope(ours.workspace_id), connection.cursor() as cursor:
        cursor.execute(statement, [theirs.pk])
        assert cursor.fetchone() == (0,)


# References: foreign keys are checked past the policies, and so hold the workspace themselves.


def _foreign(referring: type[Model], theirs: Conversation) -> dict[str, Any]:
    """What a row of `referring` would point to in the other workspace."""
    workspace = theirs.workspace
    if referring is Conversation:
        return {"template_id": PromptTemplateFactory(workspace=workspace).pk}
    if referring is Chunk:
        return {"document_id": ChunkFactory(document__workspace=workspace).document_id}
    if referring in (BatchItem, MessageBatch):
        return {"job_id": BatchJobFactory(workspace=workspace).pk}
    return {"conversation_id": theirs.pk}


@pytest.mark.parametrize(
    ("referring", "factory"),
    [
        (Conversation, ConversationFactory),
        (Turn, TurnFactory),
        (Chunk, ChunkFactory),
        (BatchItem, BatchItemFactory),
        (MessageBatch, MessageBatchFactory),
    ],
)
@pytest.mark.parametrize("scope", ["ours", "every"])
def test_a_reference_cannot_leave_its_workspace(
    referring: type[Model], factory: Any, theirs: Conversation, scope: str
) -> None:
    row = factory()
    foreign = _foreign(referring, theirs)
    with workspace_scope(row.workspace_id if scope == "ours" else EVERY):
        referring._default_manager.filter(pk=row.pk).update(**foreign)
        with pytest.raises(IntegrityError, match="same_workspace"):
            connection.check_constraints()


def test_a_form_is_told_in_words_that_a_reference_leaves_its_workspace(theirs: Conversation) -> None:
    ours = ConversationFactory()
    ours.template = theirs.template
    with pytest.raises(ValidationError, match="This template belongs to another workspace"):
        ours.full_clean()


# The guard is complete.


def _tables_of_workspaces() -> set[str]:
    tables = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if any(getattr(field, "related_model", None) is Workspace for field in model._meta.concrete_fields)
    }
    return tables | {Workspace._meta.db_table}


def test_every_table_with_a_workspace_is_guarded_from_its_owner_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid
            WHERE relrowsecurity AND relforcerowsecurity
            """
        )
        assert _tables_of_workspaces() <= {name for (name,) in cursor.fetchall()}


def test_the_application_is_no_superuser_and_passes_no_policy() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


def test_a_role_that_no_policy_binds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    connection._refuse_unguarded()  # ours is bound
    superuser = "(SELECT min(rolname::text) FROM pg_roles WHERE rolsuper)"
    monkeypatch.setattr(base, "UNGUARDED", base.UNGUARDED.replace("current_user", superuser))
    with pytest.raises(ImproperlyConfigured, match="row-level security does not hold"):
        connection._refuse_unguarded()


def test_references_between_rows_of_a_workspace_are_all_held_there() -> None:
    tables = _tables_of_workspaces() - {Workspace._meta.db_table}
    loose = [
        str(field)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model._meta.db_table in tables
        if f"(workspace_id, {field.column})" not in _keys(model._meta.db_table)
        if not model.__name__.startswith("Historical")  # a record of what was: it refers to nothing
    ]
    assert loose == []


def _keys(table: str) -> str:
    """The definitions of a table's foreign keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint "
            "WHERE contype = 'f' AND conrelid = %s::regclass",
            [table],
        )
        return str(cursor.fetchone()[0])
