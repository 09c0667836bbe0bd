"""`manage.py check`: bounds of the database's settings, and a public site with a key that nobody else knows of."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from convgen.checks import (
    Bounds,
    check_bounds,
    check_encryption,
    check_origins,
    check_private_origins,
    check_secret_key,
    check_slow_queries,
    out_of_bounds,
)


@pytest.fixture
def key_made_here(settings: Any) -> Path:
    """A checkout that made its own secret key."""
    settings.VAR_DIR.mkdir()
    file: Path = settings.VAR_DIR / "secret-key"
    file.write_text(settings.SECRET_KEY)
    return file


def test_a_public_host_with_a_key_made_here_is_warned_of(settings: Any, key_made_here: Path) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "convgen.example.com"]
    (warning,) = check_secret_key()
    assert warning.id == "convgen.W001"
    assert "convgen.example.com" in warning.msg
    assert "Set DJANGO_SECRET_KEY" in str(warning.hint)


def test_any_host_at_all_is_a_public_host(settings: Any, key_made_here: Path) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert [warning.id for warning in check_secret_key()] == ["convgen.W001"]


def test_this_machine_alone_needs_no_key_of_its_own(settings: Any, key_made_here: Path) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    assert check_secret_key() == []


def test_a_key_from_the_environment_is_silent(settings: Any, key_made_here: Path) -> None:
    settings.ALLOWED_HOSTS = ["convgen.example.com"]
    key_made_here.write_text("another key, made before DJANGO_SECRET_KEY was set")
    assert check_secret_key() == []
    key_made_here.unlink()
    assert check_secret_key() == []


def test_it_is_registered_for_deployments_alone(settings: Any, key_made_here: Path) -> None:
    settings.ALLOWED_HOSTS = ["convgen.example.com"]
    assert "convgen.W001" not in {message.id for message in run_checks()}
    assert "convgen.W001" in {message.id for message in run_checks(include_deployment_checks=True)}


@pytest.mark.parametrize(
    ("bounds", "good", "bad", "words"),
    [
        (Bounds("SUM", 1), [1, 5_000], [0, -1, float("nan")], "Set SUM to a number of 1 or more."),
        (Bounds("SUM", 1, 10, unit="tries"), [1, 10], [0, 11], "Set SUM to a number from 1 to 10 (tries)."),
        (Bounds("SUM", 0, low_excluded=True, unit="seconds"), [0.1], [0, -1], "Set SUM to a number above 0 (seconds)."),
    ],
)
def test_bounds_are_kept_and_told(settings: Any, bounds: Bounds, good: list[Any], bad: list[Any], words: str) -> None:
    for value in good:
        settings.SUM = value
        assert out_of_bounds([bounds], id="x.E001") == []
    for value in bad:
        settings.SUM = value
        (error,) = out_of_bounds([bounds], id="x.E001")
        assert (error.id, error.hint) == ("x.E001", words)


@pytest.mark.parametrize(
    ("setting", "good", "bad"),
    [
        ("DATABASE_STATEMENT_TIMEOUT", [0, 0.5, 86_400], [-1, float("nan"), 100_000]),
        ("DATABASE_IDLE_IN_TRANSACTION_TIMEOUT", [0, 60], [-1, float("inf")]),
        ("DATABASE_POOL_SIZE", [1, 50], [0]),
        ("DATABASE_POOL_TIMEOUT", [0.5], [0, -1]),
        ("SLOW_QUERY_SECONDS", [0, 0.5], [-0.1]),
        ("API_READS_PER_MINUTE", [0, 600], [-1]),
        ("API_GENERATIONS_PER_MINUTE", [0, 1], [-1]),
        ("API_ANONYMOUS_PER_MINUTE", [0, 1], [-1]),
        ("API_TOKEN_DAYS", [1, 90, 3_650], [0, 3_651]),
    ],
)
def test_settings_have_bounds(settings: Any, setting: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        setattr(settings, setting, value)
        assert check_bounds() == []
    for value in bad:
        setattr(settings, setting, value)
        (error,) = check_bounds()
        assert error.id == "convgen.E001"
        assert f"Set {setting} to a number" in str(error.hint)


def test_a_query_must_count_as_slow_before_it_is_cancelled(settings: Any) -> None:
    settings.DATABASE_STATEMENT_TIMEOUT, settings.SLOW_QUERY_SECONDS = 30, 30
    (warning,) = check_slow_queries()
    assert (warning.id, warning.hint) == ("convgen.W002", "Set SLOW_QUERY_SECONDS below 30.")
    settings.SLOW_QUERY_SECONDS = 0.5
    assert check_slow_queries() == []


def test_without_a_timeout_any_time_may_count_as_slow(settings: Any) -> None:
    settings.DATABASE_STATEMENT_TIMEOUT, settings.SLOW_QUERY_SECONDS = 0, 60
    assert check_slow_queries() == []


@pytest.mark.parametrize(
    "origin",
    ["https://tools.example.com", "https://tools.example.com:8443", "http://localhost:5173", "http://[::1]:80"],
)
def test_an_origin_may_use_the_api(settings: Any, origin: str) -> None:
    settings.ALLOWED_ORIGINS = [origin]
    assert check_origins() == []


@pytest.mark.parametrize(
    ("origin", "wrong"),
    [
        ("*", "which would let any site in"),
        ("https://*.example.com", "which would let any site in"),
        ("tools.example.com", "which is not an origin"),
        ("https://tools.example.com/", "which is not an origin"),
        ("https://tools.example.com/page", "which is not an origin"),
        ("https://anna@tools.example.com", "which is not an origin"),
        ("https://", "which is not an origin"),
        ("https://tools.example.com:port", "which is not an origin"),
        ("https://[tools", "which is not an origin"),
        ("null", "which is not an origin"),
        ("http://tools.example.com", "not sent by https"),
        ("ftp://tools.example.com", "not sent by https"),
    ],
)
def test_what_is_no_site_or_could_be_forged_is_refused(settings: Any, origin: str, wrong: str) -> None:
    settings.ALLOWED_ORIGINS = ["https://tools.example.com", origin]
    (error,) = check_origins()
    assert error.id == "convgen.E002"
    assert wrong in error.msg
    assert repr(origin) in error.msg


def test_a_public_site_whose_tokens_travel_unencrypted_is_warned_of(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["convgen.example.com"]
    settings.SITE_URL = "http://convgen.example.com"
    (warning,) = check_encryption()
    assert warning.id == "convgen.W003"
    settings.SITE_URL = "https://convgen.example.com"
    assert check_encryption() == []
    settings.ALLOWED_HOSTS, settings.SITE_URL = ["localhost"], "http://localhost:8000"
    assert check_encryption() == []


def test_a_public_site_that_lets_in_what_runs_on_a_visitor_s_machine_is_warned_of(settings: Any) -> None:
    settings.ALLOWED_ORIGINS = ["http://localhost:5173"]
    settings.ALLOWED_HOSTS = ["localhost"]
    assert check_private_origins() == []
    settings.ALLOWED_HOSTS = ["convgen.example.com"]
    (warning,) = check_private_origins()
    assert warning.id == "convgen.W004"
    assert "http://localhost:5173" in warning.msg
