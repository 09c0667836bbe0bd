"""Which PostgreSQL: `DATABASE_URL`, or else the embedded one of this checkout."""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from convgen.database.embedded import EmbeddedServer

BACKEND = "convgen.database.backend"


def database_from(env: environ.Env, *, data_directory: Path, pooled: bool) -> dict[str, Any]:
    """Django's settings for the one database.

    `pooled` is for the web process. Workers fork, and a pool shared over a fork garbles the protocol; they
    keep persistent connections with health checks instead.

    Raises `ImproperlyConfigured` when `DATABASE_URL` names another kind of database.
    """
    if env.str("DATABASE_URL", default=""):
        database = env.db("DATABASE_URL")
        if database.get("ENGINE") != "django.db.backends.postgresql":
            raise ImproperlyConfigured(
                "DATABASE_URL must be a PostgreSQL address, such as postgresql://user:password@host:5432/name."
            )
    else:
        database = EmbeddedServer(data_directory).django_settings()
    # Two test runs at a time need two databases.
    database["TEST"] = {"NAME": env.str("TEST_DATABASE_NAME", default=f"test_{database['NAME']}")}
    # Django refuses a pool of connections that persist as well, and the address may ask for those.
    reuse = {"CONN_MAX_AGE": 0, "OPTIONS": {**database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": 8}}}
    persist = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    return {**database, "ENGINE": BACKEND, **(reuse if pooled else persist)}
