"""Which PostgreSQL is used, and how its connections are kept."""

import sys
from pathlib import Path
from typing import Any

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql.base import DatabaseWrapper

from convgen.database.configuration import Pool, Timeouts, database_from

ADDRESS = "postgresql://curator:secret@db.example.com:6543/training"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_DATABASE_NAME", raising=False)


TIMEOUTS = Timeouts(statement=30, idle_in_transaction=60)


def _configured(tmp_path: Path, *, pooled: bool = False, timeouts: Timeouts = TIMEOUTS) -> dict[str, Any]:
    pool = Pool(size=8, timeout=10) if pooled else None
    return database_from(environ.Env(), data_directory=tmp_path / "postgres", timeouts=timeouts, pool=pool)


def test_the_address_is_used_when_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", ADDRESS)
    database = _configured(tmp_path)
    assert database["ENGINE"] == "convgen.database.backend"
    assert (database["USER"], database["PASSWORD"]) == ("curator", "secret")
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example.com", 6543, "training")
    assert "DATA_DIRECTORY" not in database


def test_without_an_address_it_is_the_embedded_one_which_is_not_started_yet(tmp_path: Path) -> None:
    database = _configured(tmp_path)
    assert database["ENGINE"] == "convgen.database.backend"
    assert database["DATA_DIRECTORY"] == str(tmp_path / "postgres")
    assert not (tmp_path / "postgres").exists()


def test_two_checkouts_have_sockets_of_their_own(tmp_path: Path) -> None:
    assert _configured(tmp_path / "one")["HOST"] != _configured(tmp_path / "two")["HOST"]


@pytest.mark.parametrize(
    "address", ["mysql://user@host/name", "sqlite:///file", "postgis://host/name", "http://host/name"]
)
def test_another_kind_of_database_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_URL must be a PostgreSQL address, such as postgresql://"):
        _configured(tmp_path)


@pytest.mark.filterwarnings("ignore:Engine not recognized")
def test_an_address_without_a_scheme_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "localhost")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must be a PostgreSQL address"):
        _configured(tmp_path)


def test_connections_persist_and_are_checked_unless_a_pool_is_asked_for(tmp_path: Path) -> None:
    database = _configured(tmp_path)
    assert database["CONN_MAX_AGE"] > 0
    assert database["CONN_HEALTH_CHECKS"]
    assert "pool" not in database["OPTIONS"]


@pytest.mark.parametrize("query", ["", "?conn_max_age=60", "?sslmode=require"])
def test_a_pool_never_holds_persistent_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    monkeypatch.setenv("DATABASE_URL", ADDRESS + query)
    database = _configured(tmp_path, pooled=True)
    assert database["OPTIONS"]["pool"] == {"min_size": 1, "max_size": 8, "timeout": 10}
    assert database["CONN_HEALTH_CHECKS"]
    assert database["CONN_MAX_AGE"] == 0
    assert database["OPTIONS"].get("sslmode") == ("require" if "sslmode" in query else None)
    complete = {"AUTOCOMMIT": True, "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None, **database}
    assert DatabaseWrapper(complete).pool is not None  # Django refuses the two together


def test_the_tests_have_a_database_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _configured(tmp_path)["TEST"] == {"NAME": "test_convgen"}
    monkeypatch.setenv("TEST_DATABASE_NAME", "test_second")
    assert _configured(tmp_path)["TEST"] == {"NAME": "test_second"}


OURS = "-c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"


@pytest.mark.parametrize(
    ("query", "options"),
    [("", OURS), ("?options=-c%20statement_timeout%3D5s", f"{OURS} -c statement_timeout=5s")],
)
def test_timeouts_are_options_of_the_connection_and_the_address_has_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, options: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", ADDRESS + query)
    assert _configured(tmp_path)["OPTIONS"]["options"] == options


def test_no_timeout_is_no_option_for_a_proxy_that_takes_none(tmp_path: Path) -> None:
    assert "options" not in _configured(tmp_path, timeouts=Timeouts(0, 0))["OPTIONS"]
    halves = _configured(tmp_path, timeouts=Timeouts(0.5, 0))
    assert halves["OPTIONS"]["options"] == "-c statement_timeout=0.5s"


@pytest.mark.parametrize(
    ("arguments", "pooled", "name"),
    [
        (["manage.py", "run_worker", "--verbosity", "2"], False, "convgen run_worker"),
        (["/srv/convgen/.venv/bin/uvicorn", "convgen.asgi:application"], True, "convgen web"),
        (["/usr/lib/python3/site-packages/pytest/__main__.py"], False, "convgen pytest"),
        (["manage.py"], False, "convgen manage"),
        (["-c"], False, "convgen python"),
    ],
)
def test_postgresql_is_told_what_the_process_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], pooled: bool, name: str
) -> None:
    monkeypatch.setattr(sys, "argv", arguments)
    assert _configured(tmp_path, pooled=pooled)["OPTIONS"]["fallback_application_name"] == name


def test_a_host_that_does_not_answer_is_given_up_unless_the_address_has_more_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _configured(tmp_path)["OPTIONS"]["connect_timeout"] == 10
    monkeypatch.setenv("DATABASE_URL", ADDRESS + "?connect_timeout=60")
    assert _configured(tmp_path)["OPTIONS"]["connect_timeout"] == 60
