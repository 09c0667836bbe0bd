"""`manage.py maintain_logs`."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from convgen.tenancy import NOTHING, workspace_scope
from generation.models import GenerationLog
from tests.factories import GenerationLogFactory

pytestmark = pytest.mark.django_db


def told(*arguments: str) -> str:
    """What the command says, called as in a shell: in no workspace's scope."""
    out = StringIO()
    with workspace_scope(NOTHING):
        call_command("maintain_logs", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def old_log() -> GenerationLog:
    """A row of 40 days ago, for which there is no month."""
    log: GenerationLog = GenerationLogFactory()
    GenerationLog.objects.update(created_at=timezone.now() - timedelta(days=40))
    connection.check_constraints()
    return log


def test_it_says_when_there_is_nothing_to_do(old_log: GenerationLog) -> None:
    assert told() == "Nothing to do: every month is there, and none is too old.\n"
    assert GenerationLog.objects.exists()


def test_it_says_in_one_line_what_it_did(old_log: GenerationLog) -> None:
    assert told("--days", "30") == "Done: deleted 1 row of the default partition.\n"
    assert not GenerationLog.objects.exists()


def test_it_says_which_months_it_made_and_dropped() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT generation_log_make_month('2024-02-01'), generation_log_make_month('2024-03-01')")
        cursor.execute("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')")
        (this_month,) = cursor.fetchone()
        cursor.execute(f"DROP TABLE generation_generationlog_{this_month.replace('-', '')}")
    GenerationLogFactory.create_batch(2)
    connection.check_constraints()
    moved = "moved 2 rows from the default partition into their month"
    assert told() == f"Done: made {this_month}; {moved}; dropped 2024-02, 2024-03.\n"


def test_the_days_are_those_of_the_setting_unless_they_are_given(old_log: GenerationLog, settings: Any) -> None:
    settings.LOG_RETENTION_DAYS = 39
    assert told("--days", "41").startswith("Nothing to do")
    assert told().startswith("Done")


def test_a_dry_run_says_what_it_would_do_and_does_not(old_log: GenerationLog) -> None:
    assert told("--days", "30", "--dry-run") == "It would be: deleted 1 row of the default partition.\n"
    assert GenerationLog.objects.exists()


def test_a_script_is_told_in_json(old_log: GenerationLog) -> None:
    said = {"made": [], "moved": 0, "dropped": [], "deleted": 1}
    assert json.loads(told("--days", "30", "--dry-run", "--json")) == {**said, "dry_run": True}
    assert json.loads(told("--days", "30", "--json")) == {**said, "dry_run": False}


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ("0", "cannot be kept for 0 days. Give a number from 1"),
        ("-3", "from 1"),
        ("ten", "invalid int"),
        ("1e9", "int"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(old_log: GenerationLog, days: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as raised:
        told("--days", days)
    assert "\n" not in str(raised.value)
    assert GenerationLog.objects.exists()
