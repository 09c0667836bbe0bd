"""The ORM from an event loop: `DatabaseThreads`."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection

from convgen.database.threads import DatabaseThreads

pytestmark = pytest.mark.django_db(transaction=True)


def _backend() -> int:
    """The server process behind this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid: int = cursor.fetchone()[0]
    return pid


def _alive(pids: set[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)", [list(pids)])
        return {pid for (pid,) in cursor.fetchall()}


def _run(work: Callable[[DatabaseThreads], Awaitable[Any]], threads: int = 2) -> Any:
    async def within() -> Any:
        async with DatabaseThreads(threads) as database:
            return await work(database)

    return asyncio.run(within())


def _wait_until_gone(pids: set[int]) -> set[int]:
    """What is left of the server processes: they end a moment after their connections."""
    left, pause = pids, threading.Event()
    for _ in range(100):
        if not (left := _alive(pids)):
            break
        pause.wait(0.05)
    return left


def test_functions_run_at_the_same_time_each_on_a_connection_of_its_own() -> None:
    together = threading.Barrier(2)

    def meet() -> int:
        pid = _backend()
        together.wait(timeout=10)  # only passed by two at once
        return pid

    async def both(database: DatabaseThreads) -> list[int]:
        return await asyncio.gather(database(meet), database(meet))

    pids = _run(both)
    assert len({*pids, _backend()}) == 3


def test_arguments_and_results_pass() -> None:
    async def work(database: DatabaseThreads) -> str:
        return await database("{} {word}".format, "one", word="two")

    assert _run(work) == "one two"


def test_every_connection_is_closed_at_the_end() -> None:
    together = threading.Barrier(3)

    def meet() -> int:
        together.wait(timeout=10)
        return _backend()

    async def work(database: DatabaseThreads) -> set[int]:
        return set(await asyncio.gather(*(database(meet) for _ in range(3))))

    pids = _run(work, threads=3)
    assert len(pids) == 3
    assert _wait_until_gone(pids) == set()


def test_connections_are_closed_after_an_error_too() -> None:
    seen: set[int] = set()

    async def work(database: DatabaseThreads) -> None:
        seen.add(await database(_backend))
        raise KeyError("the loop's own error")

    with pytest.raises(KeyError):
        _run(work)
    assert _wait_until_gone(seen) == set()


def test_a_terminated_connection_is_replaced_and_the_function_run_again() -> None:
    def terminate(pid: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    async def work(database: DatabaseThreads) -> tuple[int, int]:
        before = await database(_backend)
        await asyncio.to_thread(_closing, terminate, before)
        return before, await database(_backend)

    before, after = _run(work, threads=1)
    assert before != after


def _closing(function: Callable[..., None], *args: Any) -> None:
    """Run a function on a thread whose connection does not stay."""
    try:
        function(*args)
    finally:
        connection.close()


def test_a_connection_lost_in_the_middle_is_tried_again() -> None:
    tries: list[int] = []

    def cut_once() -> str:
        tries.append(_backend())
        with connection.cursor() as cursor:
            if len(tries) == 1:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            cursor.execute("SELECT 'whole'")
            return str(cursor.fetchone()[0])

    async def work(database: DatabaseThreads) -> str:
        return await database(cut_once)

    assert _run(work, threads=1) == "whole"
    assert len(set(tries)) == 2


def test_a_statement_that_takes_too_long_is_not_repeated() -> None:
    tries: list[int] = []

    def slow() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 20")
            cursor.execute("SELECT pg_sleep(5)")

    with pytest.raises(OperationalError, match="statement timeout"):
        _run(lambda database: database(slow))
    assert len(tries) == 1


def test_a_statement_that_is_wrong_is_not_repeated_and_leaves_the_connection_usable() -> None:
    tries: list[int] = []

    def wrong() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM nowhere")

    async def work(database: DatabaseThreads) -> int:
        with pytest.raises(ProgrammingError):
            await database(wrong)
        return await database(_backend)

    assert _run(work, threads=1)
    assert len(tries) == 1


def test_a_deadlock_is_tried_again() -> None:
    tries: list[int] = []

    def deadlocked_once() -> str:
        tries.append(1)
        with connection.cursor() as cursor:
            if len(tries) == 1:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$")
            cursor.execute("SELECT 'through'")
            return str(cursor.fetchone()[0])

    assert _run(lambda database: database(deadlocked_once)) == "through"
    assert len(tries) == 2
