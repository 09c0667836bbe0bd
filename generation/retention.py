"""How long the generation log is kept.

Its table is divided by months (UTC). Months are made ahead of time and dropped when all of their rows are too old,
which costs nothing however many there are; `generation/sql/log_maintain.sql` does both. A row of a month that was not
made in time lies in the default partition, until the month is made or the row is too old.
"""

from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from django_q.models import Schedule

from convgen.tenancy import EVERY, workspace_scope

MONTHS_AHEAD = 3  # beyond this one: so long may nobody come to make months
LONGEST_KEPT = 36_500  # days; more is a slip

MAINTAIN = "SELECT made, moved, dropped, deleted FROM generation_log_maintain(%s, %s)"
TASK = "generation.tasks.maintain_logs"
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code


class LogInUse(Exception):
    """The log is in use by a long transaction, such as a backup. Nothing was changed: try again later."""

    def __str__(self) -> str:
        return str(self.__doc__)


@dataclass(frozen=True)
class Maintenance:
    """What was done. Months are written as 2026-11."""

    made: list[str]
    moved: int  # rows that lay in the default partition, into a month that was made
    dropped: list[str]
    deleted: int  # rows of the default partition that were too old


@workspace_scope(EVERY)
def maintain(*, keep_days: int, dry_run: bool = False) -> Maintenance:
    """Make the months to come, and let go of what is older than `keep_days`, in all workspaces.

    No younger row is ever lost. A month goes when its last day is too old, so rows live up to a month longer. Safe
    to call from several processes at once. A dry run does all of it and takes it back.

    Raises `ValueError` when `keep_days` is not from 1 to 36,500, and `LogInUse`.
    """
    if not 1 <= keep_days <= LONGEST_KEPT:
        raise ValueError(f"The log cannot be kept for {keep_days} days. Give a number from 1 to {LONGEST_KEPT}.")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")  # if nobody maintained it for long, much is to be moved
            cursor.execute(MAINTAIN, [MONTHS_AHEAD, keep_days])
            done = Maintenance(*cursor.fetchone())
            if dry_run:
                transaction.set_rollback(True)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise LogInUse from error
        raise
    return done


def ensure_scheduled() -> None:
    """Have workers maintain the log once a day. There is one schedule, however many of them ask for it at once.

    Whoever does not want it sets its repeats to 0; a schedule that was deleted comes back.
    """
    if _scheduled():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('schedule of the generation log', 0))")
        if not _scheduled():
            Schedule.objects.create(name="maintain_logs", func=TASK, schedule_type=Schedule.DAILY)


def _scheduled() -> bool:
    return bool(Schedule.objects.filter(func=TASK).exists())
