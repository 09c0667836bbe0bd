"""Which PostgreSQL is used, and how its connections are kept."""

from pathlib import Path
from typing import Any

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql.base import DatabaseWrapper

from convgen.database.configuration import database_from

ADDRESS = "postgresql://curator:secret@db.example.com:6543/training"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("TEST_DATABASE_NAME", raising=False)


def _configured(tmp_path: Path, *, pooled: bool = False) -> dict[str, Any]:
    return database_from(environ.Env(), data_directory=tmp_path / "postgres", pooled=pooled)


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
    assert "pool" not in database.get("OPTIONS", {})


@pytest.mark.parametrize("query", ["", "?conn_max_age=60", "?sslmode=require"])
def test_a_pool_never_holds_persistent_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    monkeypatch.setenv("DATABASE_URL", ADDRESS + query)
    database = _configured(tmp_path, pooled=True)
    assert database["OPTIONS"]["pool"]["max_size"] > 1
    assert database["CONN_MAX_AGE"] == 0
    assert database["OPTIONS"].get("sslmode") == ("require" if "sslmode" in query else None)
    complete = {"AUTOCOMMIT": True, "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None, **database}
    assert DatabaseWrapper(complete).pool is not None  # Django refuses the two together


def test_the_tests_have_a_database_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _configured(tmp_path)["TEST"] == {"NAME": "test_convgen"}
    monkeypatch.setenv("TEST_DATABASE_NAME", "test_second")
    assert _configured(tmp_path)["TEST"] == {"NAME": "test_second"}
