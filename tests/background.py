"""Work in another thread of the test, with a database connection of its own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, connections

T = TypeVar("T")

# A lock on a transaction's end names no database, but who waits for one has others that do.
WAITING = """
SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN (
    SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE datname = current_database()
)
"""


def in_background(function: Callable[..., Any], *args: Any, **kwargs: Any) -> threading.Thread:
    """Call the function in a thread."""

    def work() -> None:
        try:
            function(*args, **kwargs)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def apart(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What the function returns, called in a thread that sees the same rows.

    Generating begins an event loop, and where a browser was opened, Playwright's runs in the caller's thread.
    """

    def work() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(copy_context().run, work).result()


def ignore(_job_id: UUID) -> None:
    """As `on_unfinished`: do not continue."""


def until_locks_are_waited_for(number: int = 1, *, seconds: float = 60) -> None:
    """Wait until so many other connections wait for what somebody has locked; fail when they do not in time."""
    deadline = time.monotonic() + seconds
    while _waiting() < number:
        assert time.monotonic() < deadline, f"{_waiting()} and not {number} waited within {seconds} s"
        time.sleep(0.01)


def _waiting() -> int:
    """In this database: others on the same server have tests of their own."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        number: int = cursor.fetchone()[0]
        return number
