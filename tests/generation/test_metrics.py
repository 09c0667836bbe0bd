"""`/metrics`: who may read it, and that what it tells is true and documented."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from convgen.metrics import REGISTRY
from generation.errors import RateLimited
from generation.metrics import RateLimitCollector
from generation.priority import Priority
from tests.generation.limiting import fail, granted, limit, one, waits

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "a-token-for-prometheus"


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def _asked(authorization: str = f"Bearer {TOKEN}", method: str = "get") -> Any:
    headers = {"Authorization": authorization} if authorization else {}
    return getattr(Client(headers=headers), method)("/metrics")


def _told() -> dict[tuple[str, str], float]:
    """Values by metric and by kind or priority, of one key."""
    told = {}
    for family in text_string_to_metric_families(_asked().content.decode()):
        for sample in family.samples if family.name.startswith("convgen_rate_limit") else ():
            assert sample.labels.pop("address") == "127.0.0.1"
            assert len(sample.labels.pop("key")) == 6
            told[sample.name, "".join(sample.labels.values())] = sample.value
    return told


def test_whoever_knows_the_token_reads_what_is_used_and_who_waits() -> None:
    granted(limit(3, 100_000), 3)
    waits(limit(3, 100_000, priority=Priority.HIGH))
    told = _told()
    assert [told[f"convgen_rate_limit{what}", "requests"] for what in ("", "_used", "_remaining")] == [3, 3, 0]
    assert [told[f"convgen_rate_limit{what}", "input"] for what in ("", "_used")] == [100_000, 24_000]
    assert ("convgen_rate_limit", "output") not in told, "there is none"
    assert [told["convgen_rate_limit_waiting", priority] for priority in Priority] == [1, 0, 0]
    assert 0 <= told["convgen_rate_limit_longest_wait_seconds", ""] < 5
    assert told["convgen_rate_limit_granted_total", ""] == 3


def test_that_claude_asked_to_wait_is_told() -> None:
    fail(one(limit(3)), RateLimited(retry_after=30))
    told = _told()
    assert told["convgen_rate_limit_blocked_seconds", ""] == pytest.approx(30, abs=1)
    assert told["convgen_rate_limit_refused_total", ""] == 1


def test_it_is_plain_text_and_not_kept() -> None:
    response = _asked()
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", TOKEN, f"Basic {TOKEN}", "Bearer wröng"])
def test_whoever_does_not_know_the_token_is_refused(authorization: str) -> None:
    response = _asked(authorization)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "METRICS_TOKEN" in response.content.decode()


@pytest.mark.parametrize("authorization", ["", "Bearer ", f"Bearer {TOKEN}"])
def test_without_the_setting_there_is_no_such_page(settings: Any, authorization: str) -> None:
    settings.METRICS_TOKEN = ""
    assert _asked(authorization).status_code == 404


def test_it_is_only_read() -> None:
    assert _asked(method="post").status_code == 405


def test_a_metric_is_told_by_one_alone() -> None:
    registry = CollectorRegistry()
    registry.register(RateLimitCollector())
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(RateLimitCollector())


def test_every_metric_is_documented_and_none_besides() -> None:
    named = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for collector in list(REGISTRY._collector_to_names)
        for family in collector.describe()  # type: ignore[attr-defined]
    }
    text = Path(configured.BASE_DIR, "docs/operators.md").read_text()
    documented = set(re.findall(r"^\| `(convgen_\w+)`", text, re.MULTILINE))
    assert named == documented
    assert len(named) >= 8
