"""Django's PostgreSQL backend for the embedded server: it starts the server when nobody answers."""

from pathlib import Path
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from convgen.database.embedded import EmbeddedServer


class DatabaseWrapper(base.DatabaseWrapper):
    started: set[Path] = set()  # data directories whose server this process has seen running

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection, from a server started if need be: at first use, or after it was killed."""
        server = EmbeddedServer(Path(self.settings_dict["DATA_DIRECTORY"]))
        if server.data not in self.started:
            self._start(server)
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            self._start(server)
            return super().get_new_connection(conn_params)

    def _start(self, server: EmbeddedServer) -> None:
        server.ensure_running()
        self.started.add(server.data)
