"""While migrations run, they see the rows of every workspace, and a statement may take as long as it takes.

Row-level security binds them too: a foreign key that is added would find none of the rows that it leads to. And
building an index over a large table takes its time.

It may wait for a lock no longer than a statement may usually take, though. Whoever comes later queues up behind a
migration that waits, so it had better fail and be run again.
"""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from convgen.tenancy.policies import EVERY_SETTING

LIFT = f"""
SET {EVERY_SETTING} = 'on';
RESET statement_timeout;
SELECT set_config('lock_timeout', current_setting('statement_timeout'), false);
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
"""
RESTORE = f"""
RESET {EVERY_SETTING};
RESET statement_timeout;
RESET idle_in_transaction_session_timeout;
RESET lock_timeout;
"""


def make_way_for_migrations(sender: AppConfig) -> None:
    """Of the many signals of one `migrate`, those of `sender` are enough."""
    pre_migrate.connect(_lift, sender=sender, dispatch_uid="make_way")
    post_migrate.connect(_restore, sender=sender, dispatch_uid="restore")


def _lift(*, using: str, **_signal: Any) -> None:
    _execute(using, LIFT)


def _restore(*, using: str, **_signal: Any) -> None:
    _execute(using, RESTORE)


def _execute(using: str, statements: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(statements)
