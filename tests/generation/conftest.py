"""A clock that stands still, for rules that depend on the time."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

STOP_THE_CLOCK = """
CREATE SCHEMA stopped;
CREATE SEQUENCE stopped.look;
CREATE FUNCTION stopped.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    RETURN timestamptz '{now}' + nextval('stopped.look') * interval '1 microsecond';
"""
LOOK_AT_IT = "SET search_path = stopped, pg_catalog, public"  # it is found before PostgreSQL's own


@pytest.fixture
def stopped_clock(db: None) -> Iterator[None]:
    """PostgreSQL's `clock_timestamp()` stands still, for every thread: time passes in `pass_time` alone.

    Yet it is a microsecond later each time somebody looks: what comes later is later.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        cursor.execute(STOP_THE_CLOCK.format(now=cursor.fetchone()[0].isoformat()))
        cursor.execute(LOOK_AT_IT)
    connection_created.connect(_look_at_the_stopped_clock)
    yield
    connection_created.disconnect(_look_at_the_stopped_clock)
    with connection.cursor() as cursor:
        cursor.execute("RESET search_path")
        cursor.execute("DROP SCHEMA stopped CASCADE")


def _look_at_the_stopped_clock(connection: Any, **_kwargs: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOOK_AT_IT)
