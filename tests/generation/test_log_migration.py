"""An installation that has a log upgrades with it, and can go back with it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction
from django.db.migrations.loader import MigrationLoader

from conversations.models import Conversation, Workspace
from convgen.tenancy import EVERY, NOTHING, workspace_scope
from generation import models

LOG = models.GenerationLog._meta.db_table
PLAIN, DIVIDED = "r", "p"  # PostgreSQL's kinds of tables
DATES = [
    datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2024, 3, 1, tzinfo=UTC),
    datetime(2026, 10, 31, 12, tzinfo=UTC),
]


@cache
def log_of_then() -> Any:
    """The log's model as it was: with the columns of these migrations, and none that came later."""
    state = MigrationLoader(None).project_state([("generation", "0005_partitioned_log")])
    return state.apps.get_model("generation", "GenerationLog")


def migrate(alias: str, number: str) -> None:
    with workspace_scope(NOTHING):  # as in a shell
        call_command("migrate", "generation", number, database=alias, verbosity=0)


def run(alias: str, sql: str) -> list[Any]:
    """The first column of what a query returns."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]


def kind(alias: str) -> str:
    (found,) = run(alias, f"SELECT relkind FROM pg_class WHERE oid = '{LOG}'::regclass")
    return str(found)


def guarded(alias: str) -> bool:
    return run(alias, f"SELECT relforcerowsecurity FROM pg_class WHERE oid = '{LOG}'::regclass") == [True]


@pytest.fixture
def old(copy: str) -> Iterator[str]:
    """An installation whose log is a plain table, with rows of two workspaces."""
    migrate(copy, "0004")
    with workspace_scope(EVERY):
        for number, at in enumerate(DATES):
            _log(copy, Workspace.objects.using(copy).create(name="A practice", slug=f"practice-{number}"), at)
        yield copy


def _log(alias: str, workspace: Workspace, at: datetime) -> None:
    conversation = Conversation.objects.using(alias).create(
        workspace=workspace, conversation_id="TPL-1", tier="template"
    )
    log = (
        log_of_then()
        .objects.using(alias)
        .create(
            workspace_id=workspace.pk,
            conversation_id=conversation.pk,
            run_id=workspace.pk,
            model="claude-sonnet-5-5",
            request={"said": "Größe\n"},
            status="succeeded",
            cost_usd="0.012345",
        )
    )
    log_of_then().objects.using(alias).filter(pk=log.pk).update(created_at=at)


def rows(alias: str) -> list[dict[str, Any]]:
    return list(log_of_then().objects.using(alias).order_by("id").values())


def test_the_rows_come_along_each_into_its_month_and_go_back(old: str) -> None:
    before = rows(old)
    assert (len(before), kind(old)) == (3, PLAIN)
    migrate(old, "0005")
    assert (rows(old), kind(old)) == (before, DIVIDED)
    partitions = run(old, f"SELECT tableoid::regclass::text FROM {LOG} ORDER BY created_at")
    assert partitions == [f"{LOG}_{month}" for month in ("202402", "202403", "202610")]
    migrate(old, "0004")
    assert (rows(old), kind(old)) == (before, PLAIN)
    assert run(old, f"SELECT relname FROM pg_class WHERE relname ~ '^{LOG}_([0-9]+|default|plain)$'") == []
    migrate(old, "0005")
    assert (rows(old), kind(old)) == (before, DIVIDED)


def test_on_both_sides_the_log_is_guarded_and_bound_to_its_workspace(old: str) -> None:
    _assert_guarded(old)
    migrate(old, "0005")
    _assert_guarded(old)
    migrate(old, "0004")
    _assert_guarded(old)


def _assert_guarded(alias: str) -> None:
    assert guarded(alias)
    with workspace_scope(NOTHING):
        assert rows(alias) == []
    first, second, _third = log_of_then().objects.using(alias).order_by("id")
    with pytest.raises(IntegrityError, match="conversation_same_workspace"), transaction.atomic(alias):
        log_of_then().objects.using(alias).filter(pk=first.pk).update(conversation=second.conversation_id)
    with pytest.raises(IntegrityError, match="workspace_id"), transaction.atomic(alias):
        log_of_then().objects.using(alias).filter(pk=first.pk).update(workspace=first.pk, conversation=None)
