"""Slow queries are logged once, with their route and without anybody's text."""

import logging
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from psycopg import sql

from convgen.process_name import process_name

pytestmark = pytest.mark.django_db

SECRET = "what a customer wrote"


@pytest.fixture(autouse=True)
def _slow_from_20_ms(settings: Any) -> None:
    settings.SLOW_QUERY_SECONDS = 0.02


def _execute(statement: Any, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "convgen.database.slow_queries"]


def test_a_slow_query_is_one_warning_with_its_route_and_without_its_parameters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _execute("SELECT pg_sleep(0.03),\n       %s", [SECRET])
    (line,) = _logged(caplog)
    assert line.endswith(f" s, {process_name()}: SELECT pg_sleep(0.03), %s")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert SECRET not in caplog.text


def test_a_fast_one_is_not_logged(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.SLOW_QUERY_SECONDS = 60
    _execute("SELECT %s", [SECRET])
    assert _logged(caplog) == []


def test_a_cancelled_one_is_logged_with_the_kind_of_error(caplog: pytest.LogCaptureFixture) -> None:
    _execute("SET LOCAL statement_timeout = '30ms'")
    with pytest.raises(OperationalError):
        _execute("SELECT pg_sleep(60), %s", [SECRET])
    (line,) = _logged(caplog)
    assert line.endswith(f" s, {process_name()}, QueryCanceled: SELECT pg_sleep(60), %s")


def test_an_error_message_is_not_logged_for_it_quotes_what_was_written(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DataError, match=SECRET):
        _execute("SELECT (pg_sleep(0.03)::text || %s)::integer", [SECRET])
    (line,) = _logged(caplog)
    assert ", InvalidTextRepresentation: " in line
    assert SECRET not in line


def test_a_long_one_is_shown_from_both_ends(caplog: pytest.LogCaptureFixture) -> None:
    _execute(f"SELECT pg_sleep(0.03), {', '.join(['1'] * 1000)} FROM (SELECT 1) AS last_table WHERE 1 = 1")
    (line,) = _logged(caplog)
    assert len(line) < 700
    assert "SELECT pg_sleep(0.03), 1, 1" in line
    assert " … " in line
    assert line.endswith("AS last_table WHERE 1 = 1")


def test_a_composed_statement_is_not_shown_for_its_values_are_part_of_it(caplog: pytest.LogCaptureFixture) -> None:
    _execute(sql.SQL("SELECT pg_sleep(0.03), {}").format(sql.Literal(SECRET)))
    (line,) = _logged(caplog)
    assert line.endswith(f" s, {process_name()}: (Composed)")


def test_many_rows_at_once_are_one_slow_query(caplog: pytest.LogCaptureFixture) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("SELECT pg_sleep(0.03), %s", [[SECRET], [SECRET]])
    assert len(_logged(caplog)) == 1
