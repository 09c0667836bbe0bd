"""Which PostgreSQL: `DATABASE_URL`, or else the embedded one of this checkout. And how its connections are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from convgen.database.embedded import EmbeddedServer
from convgen.process_name import process_name

BACKEND = "convgen.database.backend"
WEB = "web"  # the one kind of process with a pool

# A host that went away is noticed within a minute, and not after the operating system's two hours.
REACHING = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}  # seconds


@dataclass(frozen=True)
class Timeouts:
    """After which time PostgreSQL ends what takes too long, in seconds. 0 leaves it to the server's configuration."""

    statement: float
    idle_in_transaction: float

    def in_words_of_postgresql(self) -> str:
        """As options of a connection: `-c statement_timeout=30s`."""
        timeouts = {
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
        }
        return " ".join(f"-c {name}={seconds:g}s" for name, seconds in timeouts.items() if seconds)


@dataclass(frozen=True)
class Pool:
    """The connections of the web process."""

    size: int  # at most
    timeout: float  # seconds that a request waits for one


def database_from(env: environ.Env, *, data_directory: Path, timeouts: Timeouts, pool: Pool | None) -> dict[str, Any]:
    """Django's settings for the one database.

    A pool is for the web process. Workers fork, and a pool shared over a fork garbles the protocol; they keep
    persistent connections instead. Either kind is checked before it is used.

    Raises `ImproperlyConfigured` when `DATABASE_URL` names another kind of database.
    """
    address = env.str("DATABASE_URL", default="")
    database = _at(address) if address else EmbeddedServer(data_directory).django_settings()
    # Two test runs at a time need two databases.
    database["TEST"] = {"NAME": env.str("TEST_DATABASE_NAME", default=f"test_{database['NAME']}")}
    return {
        **database,
        "ENGINE": BACKEND,
        # Django refuses a pool of connections that persist as well, and the address may ask for those.
        "CONN_MAX_AGE": 0 if pool else 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _options(database.get("OPTIONS", {}), timeouts, pool),
    }


def _at(address: str) -> dict[str, Any]:
    database: dict[str, Any] = environ.Env.db_url_config(address)
    if database.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(
            "DATABASE_URL must be a PostgreSQL address, such as postgresql://user:password@host:5432/name."
        )
    return database


def _options(given: dict[str, Any], timeouts: Timeouts, pool: Pool | None) -> dict[str, Any]:
    """Of the connection. What the address brings goes before ours: the last of two options counts."""
    ours: dict[str, Any] = {
        **REACHING,
        "fallback_application_name": f"convgen {WEB if pool else process_name()}",
    }
    if pool:
        ours["pool"] = {"min_size": 1, "max_size": pool.size, "timeout": pool.timeout}
    startup = f"{timeouts.in_words_of_postgresql()} {given.get('options', '')}".strip()
    return {**ours, **given, **({"options": startup} if startup else {})}
