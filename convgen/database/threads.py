"""The ORM from an event loop: a few threads with a connection each.

Django's own async ORM runs everything on one thread, and leaks connections when told not to.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connections

P = ParamSpec("P")
R = TypeVar("R")

WORTH_REPEATING = ("40001", "40P01")  # serialization failure, deadlock: another transaction went first
RECONNECTS = (0.2, 1.0, 3.0, 6.0)  # seconds between tries, while PostgreSQL restarts


class DatabaseThreads:
    """`await database(function, …)` runs a function that uses the ORM; an async context manager.

    A lost connection is replaced and the function run again, so functions must be safe to repeat: ours are, since
    each is one transaction that is fenced by a claim. A log row alone may come twice, if its commit's answer was lost.
    """

    def __init__(self, threads: int = 2, *, keep: bool = True) -> None:
        """`keep=False` closes the connection after each call, or gives it back to the pool: for work that waits."""
        self._threads = threads
        self._keep = keep
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="database")

    async def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        context = copy_context()  # with the workspace's scope in it
        return await loop.run_in_executor(
            self._pool, lambda: context.run(lambda: self._call(function, *args, **kwargs))
        )

    def _call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return _reconnecting(function, *args, **kwargs)
        finally:
            if not self._keep:
                connections.close_all()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every thread's connection: they would otherwise stay open for the process's life."""
        together = threading.Barrier(self._threads)

        def close() -> None:
            together.wait(timeout=30)  # one call per thread, not two on one
            connections.close_all()

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._pool, close) for _ in range(self._threads)))
        self._pool.shutdown(wait=False)


def let_go_of_connections() -> None:
    """Close this thread's connections, or give them back to the pool, before a wait that may last minutes."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def _reconnecting(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    for pause in RECONNECTS:
        try:
            return function(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            if _lost():
                close_old_connections()
            elif getattr(error.__cause__, "sqlstate", None) not in WORTH_REPEATING:
                raise  # the statement's fault, not the connection's
            time.sleep(pause)
    return function(*args, **kwargs)


def _lost() -> bool:
    """Whether this thread's connection is gone, or could not be made."""
    ours = connections.all(initialized_only=True)
    return any(wrapper.connection is None or not wrapper.is_usable() for wrapper in ours)
