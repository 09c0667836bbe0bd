"""Work in another thread of the test, with a database connection of its own."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connections


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
