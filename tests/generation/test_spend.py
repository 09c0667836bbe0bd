"""What this month cost."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from generation import spend
from generation.models import GenerationLog
from generation.spend import this_month
from tests.factories import GenerationLogFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _the_third_of_march(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def logged(at: datetime, **values: Any) -> None:
    log = GenerationLogFactory(**values)
    GenerationLog.objects.filter(pk=log.pk).update(created_at=at)


def test_every_day_until_today_is_told_real_and_simulated_apart() -> None:
    logged(datetime(2026, 3, 1, 9, tzinfo=UTC), cost_usd="0.50")
    logged(datetime(2026, 3, 3, 9, tzinfo=UTC), cost_usd="0.25")
    logged(datetime(2026, 3, 3, 9, tzinfo=UTC), cost_usd="4", model="simulated-claude-sonnet-5-5")
    month = this_month(GenerationLog.objects.all())
    assert [(day, spent.real_usd, spent.simulated_usd) for day, spent in month.days.items()] == [
        (date(2026, 3, 1), Decimal("0.50"), 0),
        (date(2026, 3, 2), 0, 0),
        (date(2026, 3, 3), Decimal("0.25"), 4),
    ]
    assert (month.total.real_usd, month.total.simulated_usd, month.total.requests) == (Decimal("0.75"), 4, 3)


def test_other_months_do_not_count() -> None:
    logged(datetime(2026, 2, 28, 23, 59, tzinfo=UTC), cost_usd=1)
    month = this_month(GenerationLog.objects.all())
    assert (month.total.requests, month.total.usd, month.total.success_rate) == (0, 0, None)


def test_the_month_begins_at_the_sites_own_midnight(settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    logged(datetime(2026, 3, 1, 4, tzinfo=UTC), cost_usd=1)  # there, the last hour of February
    logged(datetime(2026, 3, 2, 4, tzinfo=UTC), cost_usd=2)  # the last hour of the first
    month = this_month(GenerationLog.objects.all())
    assert month.begin == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert month.days[date(2026, 3, 1)].usd == month.total.usd == 2


def test_what_was_paid_for_and_discarded_neither_succeeded_nor_failed() -> None:
    for status in ("succeeded", "succeeded", "succeeded", "failed", "discarded"):
        logged(datetime(2026, 3, 2, tzinfo=UTC), status=status)
    total = this_month(GenerationLog.objects.all()).total
    assert (total.requests, total.failed, total.success_rate) == (5, 1, 0.75)


def test_a_day_begins_at_midnight_also_when_clocks_change(settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    first, second = spend.midnight(date(2026, 3, 8)), spend.midnight(date(2026, 3, 9))
    assert (second.astimezone(UTC) - first.astimezone(UTC)).total_seconds() == 23 * 3600
