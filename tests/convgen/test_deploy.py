"""The examples in `deploy/` name what there is, and give calls in flight the time to finish."""

import re
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from django.utils.module_loading import import_string

from batches.worker.health import PATIENCE as HEALTH_PATIENCE
from batches.worker.tending import SECONDS as TEND_SECONDS
from convgen.processes import PATIENCE

DEPLOY = Path(settings.BASE_DIR, "deploy")
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
FILES = [
    *(DEPLOY / name for name in ("Dockerfile", "compose.yaml", "README.md", "postgresql/10-application-role.sh")),
    *UNITS,
]
SECONDS = {"": 1, "s": 1, "m": 60}

# Not convgen's settings: Python's, pip's and uvicorn's own, PostgreSQL's image's, and what compose puts together.
FOREIGN = {
    *("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PIP_DISABLE_PIP_VERSION_CHECK"),
    "FORWARDED_ALLOW_IPS",
    *("POSTGRES_PASSWORD", "CONVGEN_DATABASE_PASSWORD"),
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names are written as systemd has them
    parser.read(path)
    return parser


def seconds(text: str) -> int:
    number, word = re.fullmatch(r"(\d+)(\w*)", text).groups()  # type: ignore[union-attr]
    return int(number) * SECONDS[word]


def test_every_variable_that_is_named_is_a_setting(compose: dict[str, Any]) -> None:
    known = set(re.findall(r"^#([A-Z][A-Z_]*)=", Path(settings.BASE_DIR, ".env.example").read_text(), re.MULTILINE))
    named = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    for service in compose["services"].values():
        named |= set(service.get("environment", {}))
    for path in UNITS:
        named |= set(re.findall(r"([A-Z_]+)=", unit(path)["Service"]["Environment"]))
    named |= set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "systemd/convgen.env.example").read_text(), re.MULTILINE))
    named |= set(re.findall(r"([A-Z_]+)=", (DEPLOY / "Dockerfile").read_text()))
    assert {"DATABASE_URL", "DJANGO_SECRET_KEY", "ANTHROPIC_API_KEY"} <= named
    assert named - known - FOREIGN == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_command_and_application_that_is_started_exists(path: Path) -> None:
    text = path.read_text().replace('", "', " ")
    commands = set(re.findall(r"manage\.py (\w+)", text))
    assert commands - set(get_commands()) == set()
    for application in re.findall(r"uvicorn ([\w.]+:\w+)", text):
        assert callable(import_string(application.replace(":", ".")))


def test_both_ways_start_web_and_workers(compose: dict[str, Any]) -> None:
    started = [unit(path)["Service"]["ExecStart"] for path in UNITS]
    assert [bool(re.search("run_worker|uvicorn", command)) for command in started] == [True, True]
    assert compose["services"]["worker"]["command"] == ["python", "manage.py", "run_worker"]
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2
    assert '"uvicorn", "convgen.asgi:application"' in (DEPLOY / "Dockerfile").read_text()


def test_both_ways_collect_static_files_before_the_web_process_starts() -> None:
    (web,) = (unit(path) for path in UNITS if "web" in path.name)
    assert "manage.py collectstatic --no-input" in web["Service"]["ExecStartPre"]
    steps = (DEPLOY / "Dockerfile").read_text()
    assert steps.index("STATIC_ROOT=") < steps.index("manage.py collectstatic --no-input") < steps.index("USER ")


def test_calls_in_flight_may_finish_before_anything_is_killed(compose: dict[str, Any]) -> None:
    services = {name: compose["services"][name] for name in ("web", "worker")}
    for service in services.values():
        longest = float(service["environment"]["ANTHROPIC_TIMEOUT"])
        assert seconds(service["stop_grace_period"]) >= longest + PATIENCE
    for path in UNITS:
        assert seconds(unit(path)["Service"]["TimeoutStopSec"]) >= longest + PATIENCE
        assert unit(path)["Service"]["KillMode"] == "mixed"
    assert longest == settings.ANTHROPIC_TIMEOUT


def test_the_watchdog_waits_longer_than_the_worker_itself() -> None:
    (worker,) = (unit(path) for path in UNITS if "worker" in path.name)
    assert worker["Service"]["Type"] == "notify"
    assert seconds(worker["Service"]["WatchdogSec"]) > HEALTH_PATIENCE + TEND_SECONDS


def test_whatever_runs_for_long_is_asked_how_it_is(compose: dict[str, Any]) -> None:
    lasting = {name for name, service in compose["services"].items() if service["restart"] != "no"}
    assert lasting == {"postgresql", "web", "worker"}
    assert [name for name in lasting if "healthcheck" not in compose["services"][name]] == []
    assert compose["services"]["worker"]["healthcheck"]["test"][1:] == ["python", "manage.py", "run_worker", "--alive"]


def test_the_applications_role_is_bound_by_row_level_security() -> None:
    script = (DEPLOY / "postgresql/10-application-role.sh").read_text()
    assert "CREATE ROLE convgen LOGIN NOSUPERUSER NOBYPASSRLS" in script


def test_the_image_has_the_locked_requirements_and_no_secrets_in_it() -> None:
    assert "--require-hashes --requirement requirements.lock" in (DEPLOY / "Dockerfile").read_text()
    left_out = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {".*", "var"} <= set(left_out)
