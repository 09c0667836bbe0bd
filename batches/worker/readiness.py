"""Before a worker begins: PostgreSQL answers, and has the tables of this version."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

RETRY_SECONDS = 2.0
REMIND_SECONDS = 30.0

logger = logging.getLogger(__name__)


class NotReady(Exception):
    """A worker cannot begin; the message says what to do."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End at once when told to: nothing has begun. The first process of a container would not hear it otherwise."""

    def end(_number: int, _frame: object) -> None:
        sys.exit(0)

    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def wait_for_postgresql() -> None:
    """Until it answers: machines start in any order, and a worker that gave up would be started again all the time."""
    remind_at = 0.0
    while True:
        try:
            connection.ensure_connection()
            return
        except OperationalError as error:
            if time.monotonic() >= remind_at:
                remind_at = time.monotonic() + REMIND_SECONDS
                reason = str(error).strip().splitlines()[0]
                logger.warning("The worker waits for PostgreSQL, which does not answer: %s", reason)
            time.sleep(RETRY_SECONDS)


def check_connections() -> None:
    """Raises `NotReady` when connections come from a pool: a worker forks, and shared, they garble the protocol."""
    if "pool" in connection.settings_dict["OPTIONS"]:
        raise NotReady(
            "A worker cannot take its connections from a pool. Take CONVGEN_DATABASE_POOL out of its environment and "
            "of .env: the web process sets it for itself."
        )


def check_migrations() -> None:
    """Raises `NotReady`: what a worker of this version has paid for could not be saved."""
    executor = MigrationExecutor(connection)
    missing = [str(migration) for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if missing:
        raise NotReady(
            f"The database lacks {len(missing)} migrations of this version (first {missing[0]}). Run: manage.py migrate"
        )
