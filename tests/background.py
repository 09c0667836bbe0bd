"""Work in another thread of the test, with a database connection of its own."""

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection, connections


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


def ignore(_job_id: UUID) -> None:
    """As `on_unfinished`: do not continue."""


def until_somebody_waits_for_a_lock(*, seconds: float = 10) -> None:
    """Wait until another connection waits for what somebody has locked; fail when none does in time."""
    deadline = time.monotonic() + seconds
    while not _somebody_waits():
        assert time.monotonic() < deadline, f"nobody waited within {seconds} s"
        time.sleep(0.01)


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None
