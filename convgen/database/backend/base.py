"""Django's PostgreSQL backend, which tells PostgreSQL the scope, and starts the embedded server when nobody answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus
from psycopg_pool import PoolTimeout

from convgen.database.embedded import EmbeddedServer
from convgen.database.slow_queries import log_when_slow
from convgen.tenancy.policies import EVERY_SETTING, WORKSPACE_SETTING
from convgen.tenancy.scope import EVERY, NOTHING, Scope, current_scope

SET_SCOPE = f"SELECT set_config('{WORKSPACE_SETTING}', %s, true), set_config('{EVERY_SETTING}', %s, true)"

UNGUARDED = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


class DatabaseWrapper(base.DatabaseWrapper):
    started: set[Path] = set()  # data directories whose server this process has seen running
    guarded_roles: set[str] = set()  # those that this process has found to be bound by row-level security

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told_scope: Scope | None = NOTHING  # what the present transaction was told; None when that is unknown
        # The last is the innermost: what is measured is the statement, without telling the scope.
        self.execute_wrappers += [self._execute_in_scope, log_when_slow]

    # The scope is a setting of the transaction: PostgreSQL forgets it at the end.

    def _execute_in_scope(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if not self.get_autocommit():
            self._tell_scope()
        elif current_scope() is not NOTHING:
            return self._execute_by_itself(execute, sql, params, many, context)
        return execute(sql, params, many, context)

    def _execute_by_itself(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        """Execute a statement in a transaction of its own."""
        try:
            with self.wrap_database_errors, self.connection.transaction():
                self._tell_scope()
                return execute(*arguments)
        finally:
            self.told_scope = NOTHING

    def _tell_scope(self) -> None:
        scope = current_scope()
        broken = self.connection.info.transaction_status == TransactionStatus.INERROR  # it will be rolled back
        if scope == self.told_scope or broken:
            return
        values = [str(scope) if isinstance(scope, UUID) else "", "on" if scope is EVERY else ""]
        with self.wrap_database_errors:
            self.connection.execute(SET_SCOPE, values)
        self.told_scope = scope

    def _set_autocommit(self, autocommit: bool) -> None:
        """Begin or end a transaction."""
        self.told_scope = NOTHING
        super()._set_autocommit(autocommit)  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self.told_scope = None

    def init_connection_state(self) -> None:
        super().init_connection_state()
        role = str(self.settings_dict["USER"])
        if role not in self.guarded_roles:
            self._refuse_unguarded()
            self.guarded_roles.add(role)

    def _refuse_unguarded(self) -> None:
        """No policy holds for a superuser, or a role with BYPASSRLS: workspaces would see each other's rows."""
        found = self.connection.execute(UNGUARDED).fetchone()
        if found and found[0]:
            raise ImproperlyConfigured(
                "The database's role is a superuser or has BYPASSRLS: row-level security does not hold for it. "
                "Name a role in DATABASE_URL that is neither, and owns the database."
            )

    # Connections: from the pool, if there is one; the embedded server is started if need be.

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection; from the embedded server, started if need be: at first use, or after it was killed."""
        directory = self.settings_dict.get("DATA_DIRECTORY")
        if not directory:
            return self._connect(conn_params)
        server = EmbeddedServer(Path(directory))
        if server.data not in self.started:
            self._start(server)
        try:
            return self._connect(conn_params)
        except psycopg.OperationalError as error:
            was_down = self._start(server)
            if isinstance(error, PoolTimeout) and not was_down:
                raise  # all were taken: another wait is not what the caller was promised
            return self._connect(conn_params)

    def _connect(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout as error:
            pool = self.settings_dict["OPTIONS"]["pool"]
            raise PoolTimeout(
                f"No database connection within {pool['timeout']:g} s: the {pool['max_size']} of this process are all "
                "taken (DATABASE_POOL_SIZE), or PostgreSQL does not answer. pg_stat_activity shows who holds them."
            ) from error

    def _start(self, server: EmbeddedServer) -> bool:
        """True if it did not run before."""
        was_down = server.ensure_running()
        self.started.add(server.data)
        return was_down
