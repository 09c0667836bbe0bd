"""What every test shares: the simulated Claude, a workspace, and a network that ends at this machine."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management.color import no_style
from django.db import connection, connections
from django.db.models import Count
from django.test import Client, TransactionTestCase
from xdist.scheduler import LoadScopeScheduling

from conversations.models import Workspace
from conversations.roles import PERMISSIONS, make_groups
from conversations.starter.load import load_starter
from convgen import throttling
from convgen.models import User
from convgen.tenancy import EVERY, NOTHING, workspace_scope
from tests.admin_pages import member
from tests.factories import WorkspaceFactory

pytest_plugins = ["generation.simulated.pytest_plugin"]  # the fixtures `claude`, `listening` and `start_claude`

# Content types, permissions and the roles' groups.
MADE_BY_MIGRATE = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}

LOCAL = ("127.0.0.1", "::1", "localhost")


# Whose tests share something dear (a stage with workers, two PostgreSQLs), or bring a browser each: files and a folder.
TOGETHER = ("tests/faults/test_killed.py", "tests/convgen/test_embedded.py", "tests/e2e/")


class Scheduling(LoadScopeScheduling):
    """Which of the parallel workers runs what: a test goes to whoever is free, those of `TOGETHER` begin first.

    Not xdist's `loadgroup`: its groups are lost on pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((together for together in TOGETHER if nodeid.startswith(together)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live", action="store_true", help="Run the tests that call the real API, with a real key.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--live"):
        skip = pytest.mark.skip(reason="calls the real API: needs --live and ANTHROPIC_API_KEY")
        for item in items:
            if "live" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(autouse=True, scope="session")
def _what_migrate_makes_stays() -> Iterator[None]:
    """After a test with transactions of its own, Django empties every table and makes these anew: 0.1 s each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty_the_others)
        yield


def _empty_the_others(_case: TransactionTestCase) -> None:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    others = [table for table in tables if table not in MADE_BY_MIGRATE]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), others))
    held = dict(Group.objects.values_list("name").annotate(Count("permissions")))
    if held != {role.value: len(set(names)) for role, names in PERMISSIONS.items()}:
        make_groups()  # the test took some away


@pytest.fixture(autouse=True)
def _only_this_machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that connects to another machine."""
    if "live" in request.keywords:
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOCAL:
            raise RuntimeError(f"A test tried to reach {address[0]}.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _settings_of_tests(settings: Any, tmp_path: Any) -> None:
    """Nothing is written into the checkout's `var/`, and a developer's own key is never used."""
    settings.VAR_DIR = tmp_path / "var"
    settings.ANTHROPIC_API_KEY = ""
    settings.ANTHROPIC_BASE_URL = ""
    settings.ANTHROPIC_MODEL = "claude-sonnet-5-5"
    settings.GENERATION_FIRST_WAIT = 0.01  # seconds: a retry should not be waited for
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.WHITENOISE_AUTOREFRESH = True  # else each client would look at all of the collected files


@pytest.fixture(autouse=True)
def _nothing_happens_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request in a thousand sweeps out empty counters: it would take a statement more than a test has counted."""
    monkeypatch.setattr(throttling, "SWEEPS", 0.0)


@pytest.fixture(autouse=True)
def _every_workspace() -> Iterator[None]:
    """Tests see all rows. What they call must enter a scope of its own: other threads and processes have none."""
    with workspace_scope(EVERY):
        yield


@pytest.fixture
def admin_client(admin_user: User) -> Client:
    """The browser of a superuser who looks at all workspaces at once."""
    client = Client(headers={"X-Workspace": "*"})
    client.force_login(admin_user)
    return client


@pytest.fixture
def workspace(db: None) -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def curator(workspace: Workspace) -> Client:
    """The browser of a curator of the test's workspace."""
    return member(workspace, "curator")


@pytest.fixture
def reviewer(workspace: Workspace) -> Client:
    return member(workspace, "reviewer")


@pytest.fixture
def lead(workspace: Workspace) -> Client:
    return member(workspace, "lead")


@pytest.fixture
def operator(workspace: Workspace) -> Client:
    return member(workspace, "operator")


@pytest.fixture
def starter(db: None) -> Workspace:
    return load_starter().workspace


@pytest.fixture
def copy(transactional_db: None) -> Iterator[str]:
    """The alias of a copy of the tests' database and the rows in it, to do with as one likes."""
    with workspace_scope(NOTHING):
        yield from _copied()


def _copied() -> Iterator[str]:
    alias, original = "copy", connection.settings_dict["NAME"]
    name = f"{original}_copy"
    connections.databases[alias] = {**connections.databases["default"], "NAME": name}
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # a checkpoint may take long
        # A database is copied when nobody else is connected to it.
        # Autovacuum, which only a superuser may end, is ended by CREATE DATABASE itself.
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = %s AND backend_type = 'client backend'",
            [original],
        )
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
    connections[alias].connect()  # Django's test case would forbid that later: it does not know the alias
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]
        with connection._nodb_cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
