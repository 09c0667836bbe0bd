"""The import direction, and that models, migrations and the database tell the same story."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, models

from batches.models import MessageBatch
from conversations import editing, similarity
from conversations.benchmark.seeding import seed
from conversations.models import Edit
from conversations.models.coverage import CoverageChange, CoverageCount
from conversations.starter.load import load_starter
from convgen import tokens
from convgen.tenancy import EVERY, workspace_scope
from tests.factories import (
    BatchItemFactory,
    ExportFactory,
    GenerationLogFactory,
    MembershipFactory,
    MessageBatchFactory,
    TurnFactory,
    UserFactory,
)

OURS = ("convgen", "conversations", "generation", "batches")


def test_imports_point_downhill() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-logo"], cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def _fields_with_choices() -> Iterator[Any]:
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            if not model.__name__.startswith("Historical"):  # a record of what was: it refuses nothing
                yield from (field for field in model._meta.local_fields if field.choices)


def _checks(table: str, column: str) -> list[set[str]]:
    """The lists of words that the database's checks allow in a column."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_get_constraintdef(oid) FROM pg_constraint
            WHERE contype = 'c' AND conrelid = %s::regclass
            """,
            [table],
        )
        rules = [rule for (rule,) in cursor.fetchall()]
    of_column = re.compile(rf"^CHECK \(\(*{column}\)?(?:::text)? (?:=|IN)\W")
    return [set(re.findall(r"'([^']*)'", rule)) for rule in rules if of_column.match(rule)]


@pytest.mark.django_db
@pytest.mark.parametrize("field", list(_fields_with_choices()), ids=str)
def test_the_database_knows_the_same_choices_as_the_model(field: "models.Field[Any, Any]") -> None:
    allowed = {value for value, _label in field.flatchoices} | ({""} if field.blank else set())
    assert _checks(field.model._meta.db_table, field.column) == [allowed]


SCHEMA = """
SELECT format('%s.%s %s', table_name, column_name, data_type) FROM information_schema.columns
WHERE table_schema = 'public'
UNION ALL
SELECT format('%s: %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""


def _schema(alias: str) -> set[str]:
    with connections[alias].cursor() as cursor:
        cursor.execute(SCHEMA)
        return {line for (line,) in cursor.fetchall()}


def _ours(schema: set[str]) -> set[str]:
    return {line for line in schema if re.search(rf"\b({'|'.join(OURS)})_", line)}


@pytest.fixture
def seeded(transactional_db: None) -> None:
    """Two workspaces with rows in every table, made of hundreds of conversations."""
    load_starter()
    seed("benchmark", 700)
    tokens.create(UserFactory())
    for _ in range(2):
        log = GenerationLogFactory(conversation__status="approved", conversation__review_history=[{"by": "mona"}])
        TurnFactory(conversation=log.conversation)
        ExportFactory(workspace=log.workspace)
        MembershipFactory(workspace=log.workspace)
        item = BatchItemFactory(
            job__workspace=log.workspace, conversation=log.conversation, status="completed", cost_usd="0.5"
        )
        MessageBatchFactory(job=item.job)
        similarity.remember(log.workspace_id, log.conversation_id, tuple(range(126)))
        editing.update(log.conversation, {"title": "By hand"}, by=None)


def _rows(alias: str) -> dict[str, int]:
    left_out = {
        *(CoverageCount, CoverageChange),  # two ways to say the same
        *(Edit, MessageBatch),  # younger than the first migrations, which have no place for their rows
    }
    models = {model for app in OURS for model in apps.get_app_config(app).get_models()} - left_out
    with workspace_scope(EVERY):
        return {model._meta.label: model._default_manager.using(alias).count() for model in models}


def test_migrations_keep_the_rows_on_their_way_back_and_forth(seeded: None, copy: str) -> None:
    before = _rows(copy)
    of_the_moment = {f"generation.Rate{part}" for part in ("State", "Grant", "Waiter")}
    of_the_moment |= {"convgen.Throttle", "conversations.IdempotencyKey"}
    assert {label for label, count in before.items() if not count} == of_the_moment
    for app, first in (("batches", "0001"), ("generation", "0002"), ("conversations", "0001")):
        call_command("migrate", app, first, database=copy, verbosity=0)
    call_command("migrate", database=copy, verbosity=0)
    assert _rows(copy) == before


def test_every_migration_can_be_undone_and_done_again_and_zero_leaves_no_row(seeded: None, copy: str) -> None:
    before = _schema(copy)
    assert len(_ours(before)) > 200
    call_command("migrate", "convgen", "zero", database=copy, verbosity=0)  # everything of ours stands on the accounts
    assert _ours(_schema(copy)) == set()
    call_command("migrate", database=copy, verbosity=0)
    assert _schema(copy) == before
    assert set(_rows(copy).values()) == {0}
