"""Connections that cannot hang: what takes too long is ended, and the next request works."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models.signals import post_migrate, pre_migrate

from convgen.database.backend.base import DatabaseWrapper
from convgen.database.configuration import Timeouts
from convgen.process_name import process_name

pytestmark = pytest.mark.django_db(transaction=True)

Connect = Callable[..., DatabaseWrapper]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes further connections to the test's database, with other options."""
    made: list[DatabaseWrapper] = []

    def another(**options: Any) -> DatabaseWrapper:
        copy = connection.copy()
        copy.settings_dict["OPTIONS"] |= options
        copy.settings_dict["CONN_MAX_AGE"] = 0
        made.append(copy)
        return copy

    yield another
    for wrapper in made:
        wrapper.close()
    for wrapper in made:
        wrapper.close_pool()


def _impatient(connect: Connect, *, statement: float = 0, idle_in_transaction: float = 0) -> DatabaseWrapper:
    return connect(options=Timeouts(statement, idle_in_transaction).in_words_of_postgresql())


def _ask(wrapper: Any, statement: str) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _set(wrapper: Any) -> tuple[str, ...]:
    return tuple(
        _ask(wrapper, f"SHOW {name}")
        for name in ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout")
    )


def test_the_settings_reach_postgresql() -> None:
    assert _set(connection) == ("30s", "1min", "0")


def test_a_statement_that_takes_too_long_is_cancelled_and_the_connection_goes_on(connect: Connect) -> None:
    impatient = _impatient(connect, statement=0.05)
    with pytest.raises(OperationalError, match="canceling statement due to statement timeout"):
        _ask(impatient, "SELECT pg_sleep(60)")
    assert _ask(impatient, "SELECT 'the next'") == "the next"


def test_waiting_for_a_lock_is_part_of_the_statement_s_time(connect: Connect) -> None:
    impatient = _impatient(connect, statement=0.05)
    with transaction.atomic():
        _ask(connection, "SELECT pg_advisory_xact_lock(1)::text")
        with pytest.raises(OperationalError, match="canceling statement due to statement timeout"):
            _ask(impatient, "SELECT pg_advisory_xact_lock(1)::text")


def test_a_connection_idle_in_a_transaction_is_ended_and_the_next_request_works(connect: Connect) -> None:
    impatient = _impatient(connect, idle_in_transaction=0.05)
    impatient.set_autocommit(False)
    ended = _ask(impatient, "SELECT pg_backend_pid()")
    _wait_until(lambda: not _ask(connection, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {ended}"))
    with pytest.raises(DatabaseError, match="terminating connection due to idle-in-transaction timeout"):
        _ask(impatient, "SELECT 1")
    impatient.close_if_unusable_or_obsolete()  # as at a request's end
    assert _ask(impatient, "SELECT pg_backend_pid()") != ended


def _wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        pause.wait(0.02)


def test_an_operator_sees_which_process_it_is() -> None:
    name = _ask(connection, "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    assert name == f"convgen {process_name()}"


def test_a_request_does_not_wait_for_ever_for_a_connection_of_the_pool(connect: Connect) -> None:
    pool = {"min_size": 1, "max_size": 1, "timeout": 0.1}
    first, second = connect(pool=pool), connect(pool=pool)
    assert _ask(first, "SELECT 1") == 1
    with pytest.raises(OperationalError, match=r"within 0.1 s: the 1 of this process are all taken \(DATABASE_POOL_S"):
        second.ensure_connection()
    first.close()
    assert _ask(second, "SELECT 1") == 1


def test_a_connection_that_died_in_the_pool_is_replaced(connect: Connect) -> None:
    pooled = connect(pool={"min_size": 1, "max_size": 1, "timeout": 10})
    died = _ask(pooled, "SELECT pg_backend_pid()")
    pooled.close()  # back into the pool
    _ask(connection, f"SELECT pg_terminate_backend({died}, 5000)")
    assert _ask(pooled, "SELECT pg_backend_pid()") != died


@pytest.fixture
def during_migrations() -> Iterator[list[tuple[str, ...]]]:
    """The timeouts that were in force after the migrations began."""
    seen: list[tuple[str, ...]] = []

    def look(**_signal: Any) -> None:
        seen.append(_set(connection))

    pre_migrate.connect(look, weak=False, dispatch_uid="look")
    yield seen
    pre_migrate.disconnect(dispatch_uid="look")


def test_a_migration_may_take_long_but_does_not_block_others_for_long(
    during_migrations: list[tuple[str, ...]],
) -> None:
    call_command("migrate", verbosity=0)
    assert during_migrations[-1] == ("0", "0", "30s")
    assert _set(connection) == ("30s", "1min", "0")


def test_lifting_the_timeouts_twice_keeps_the_limit_of_locks() -> None:
    app = apps.get_app_config("convgen")
    for _ in range(2):
        pre_migrate.send(sender=app, app_config=app, using="default", verbosity=0, interactive=False)
    assert _set(connection) == ("0", "0", "30s")
    post_migrate.send(sender=app, app_config=app, using="default", verbosity=0, interactive=False)
    assert _set(connection) == ("30s", "1min", "0")
