"""docs/database.md: it is what the database is, and nothing in it goes without a reason."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, models

from conversations.models import Conversation, Membership, Turn, Workspace
from convgen.models import User
from convgen.schema import catalogue, columns, reasons
from convgen.schema.document import OURS, database_document, models_of_ours
from generation.models import GenerationLog

pytestmark = pytest.mark.django_db

MODELS = pytest.mark.parametrize("model", models_of_ours(), ids=lambda model: model._meta.db_table)


def _execute(statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements)


def test_the_page_is_what_the_database_is() -> None:
    assert Path(settings.BASE_DIR, "docs/database.md").read_text() == database_document(), "Run `make docs`."


@MODELS
def test_every_table_says_what_it_holds(model: type[models.Model]) -> None:
    assert reasons.of_table(model, catalogue.read(model._meta.db_table)), "It has no docstring."


@MODELS
def test_every_constraint_index_trigger_and_policy_says_why(model: type[models.Model]) -> None:
    table = catalogue.read(model._meta.db_table)
    assert [part.name for part in table.constraints if not reasons.of_constraint(model, part)] == []
    assert [part.name for part in table.indexes if not reasons.of_index(model, part)] == []
    assert [part.name for part in table.triggers if not reasons.of_trigger(model, part)] == []
    assert [part.name for part in table.policies if not reasons.of_policy(model, part)] == []


def test_no_table_of_ours_is_left_out() -> None:
    ours = {name for name in catalogue.table_names() if name.partition("_")[0] in OURS}
    assert ours == {model._meta.db_table for model in models_of_ours()}


def _part(kind: str, name: str, table: str = "conversations_turn") -> catalogue.Part:
    return next(part for part in getattr(catalogue.read(table), kind) if part.name == name)


def test_an_index_that_no_model_declares_has_its_reason_from_the_database() -> None:
    _execute("CREATE INDEX by_hand ON conversations_turn (content) WHERE role = 'user'")
    index = _part("indexes", "by_hand")
    assert index.definition == "btree (content) WHERE (role = 'user')"
    assert reasons.of_index(Turn, index) == ""
    _execute("COMMENT ON INDEX by_hand IS 'Finds what users said.'")
    assert reasons.of_index(Turn, _part("indexes", "by_hand")) == "Finds what users said."


def test_a_constraint_that_no_model_declares_has_its_reason_from_the_database() -> None:
    _execute("ALTER TABLE conversations_turn ADD CONSTRAINT by_hand CHECK (content <> '')")
    constraint = _part("constraints", "by_hand")
    assert constraint.definition == "CHECK (content <> '')"
    assert reasons.of_constraint(Turn, constraint) == ""
    _execute("COMMENT ON CONSTRAINT by_hand ON conversations_turn IS 'Somebody said something.'")
    assert reasons.of_constraint(Turn, _part("constraints", "by_hand")) == "Somebody said something."


def test_a_trigger_tells_when_it_fires_and_has_its_reason_from_the_database() -> None:
    _execute("""
        CREATE FUNCTION by_hand() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER by_hand BEFORE INSERT OR UPDATE OF content ON conversations_turn
            FOR EACH ROW WHEN (NEW.content = '') EXECUTE FUNCTION by_hand();
    """)
    trigger = _part("triggers", "by_hand")
    assert trigger.definition == "BEFORE INSERT OR UPDATE OF content, FOR EACH ROW WHEN ((new.content = ''))"
    assert reasons.of_trigger(Turn, trigger) == ""
    _execute("COMMENT ON TRIGGER by_hand ON conversations_turn IS 'Keeps silence out.'")
    assert reasons.of_trigger(Turn, _part("triggers", "by_hand")) == "Keeps silence out."


def test_a_policy_beside_the_scope_has_its_reason_from_the_database() -> None:
    _execute("CREATE POLICY by_hand ON conversations_turn FOR DELETE USING (false)")
    assert _part("policies", "by_hand").definition == "DELETE"
    assert reasons.of_policy(Turn, _part("policies", "by_hand")) == ""
    _execute("COMMENT ON POLICY by_hand ON conversations_turn IS 'Turns stay.'")
    assert reasons.of_policy(Turn, _part("policies", "by_hand")) == "Turns stay."


def test_partitions_are_part_of_their_table() -> None:
    _execute("""
        CREATE TABLE parted (at timestamptz NOT NULL, PRIMARY KEY (at)) PARTITION BY RANGE (at);
        CREATE TABLE parted_today PARTITION OF parted DEFAULT;
    """)
    assert catalogue.read("parted").partition_key == "RANGE (at)"
    assert [part.definition for part in catalogue.read("parted").constraints] == ["PRIMARY KEY (at)"]
    assert "parted" in catalogue.table_names()
    assert "parted_today" not in catalogue.table_names()


def test_a_column_that_postgresql_computes_is_said_to_be() -> None:
    _execute("""
        ALTER TABLE conversations_turn ADD length integer GENERATED ALWAYS AS (length(content)) STORED;
        COMMENT ON COLUMN conversations_turn.length IS 'In characters.';
    """)
    column = catalogue.read("conversations_turn").columns[-1]
    assert (column.name, columns.default_of(Turn, column)) == ("length", "computed")
    assert columns.meaning_of(Turn, column) == "In characters."


def _column(model: type[models.Model], name: str) -> catalogue.Column:
    return next(column for column in catalogue.read(model._meta.db_table).columns if column.name == name)


@pytest.mark.parametrize(
    ("model", "name", "meaning"),
    [
        (Conversation, "failure_type", "What went wrong, as one of our error names."),  # a help text
        (Conversation, "quality_score", "0.0 to 10.0."),  # a comment
        (Membership, "role", "One of `curator`, `reviewer`, `lead`, `operator`."),
        (Conversation, "parent_id", "Leads to `conversations_conversation`; emptied when that is deleted."),
        (Turn, "conversation_id", "Leads to `conversations_conversation`; deleted with it."),
        (User, "id", "The row's key."),
    ],
)
def test_a_column_means_what_its_field_says(model: type[models.Model], name: str, meaning: str) -> None:
    assert columns.meaning_of(model, _column(model, name)) == meaning


def test_a_version_s_column_means_what_the_row_s_does() -> None:
    versions = next(model for model in models_of_ours() if model.__name__ == "HistoricalPromptTemplate")
    assert columns.meaning_of(versions, _column(versions, "version")).startswith("Raised by every change")


@pytest.mark.parametrize(
    ("model", "name", "default"),
    [
        (Conversation, "status", "'draft'"),
        (Conversation, "parameters", "{}"),
        (Conversation, "review_history", "[]"),
        (Conversation, "id", "uuid7()"),
        (Conversation, "created_at", "now"),
        (Conversation, "title", ""),
        (GenerationLog, "attempt", "1"),
        (Workspace, "is_default", "False"),
        (User.groups.through, "id", "counted up"),
    ],
)
def test_a_default_is_shown(model: type[models.Model], name: str, default: str) -> None:
    assert columns.default_of(model, _column(model, name)) == default


def test_a_missing_table_is_told_with_what_to_do() -> None:
    _execute("DROP TABLE conversations_export")
    with pytest.raises(CommandError, match=r"no table conversations_export: run `manage.py migrate` first"):
        call_command("describe_database")


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs"


def test_a_stale_page_is_told_and_written_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = folder / "database.md"
    call_command("describe_database")
    page.write_text("# The database of yesterday\n")
    capsys.readouterr()
    with pytest.raises(CommandError, match=r"docs/database.md is stale: run `make docs`"):
        call_command("describe_database", check=True)
    assert page.read_text() == "# The database of yesterday\n"
    call_command("describe_database")
    assert page.read_text() == database_document()
    call_command("describe_database", check=True)
    assert capsys.readouterr().out == "Written: docs/database.md\n"
