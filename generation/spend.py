"""What Claude cost this month, day by day, what was real and what simulated told apart, and how much succeeded."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from generation.endpoint import is_simulated
from generation.models import GenerationLog, LogStatus


@dataclass
class Spent:
    """Amounts in USD. What simulated Claude is said to cost is never paid."""

    requests: int = 0
    succeeded: int = 0
    failed: int = 0
    real_usd: Decimal = Decimal(0)
    simulated_usd: Decimal = Decimal(0)

    @property
    def usd(self) -> Decimal:
        return self.real_usd + self.simulated_usd

    @property
    def success_rate(self) -> float | None:
        """Of the requests that succeeded or failed, those that succeeded, 0 to 1; None without any."""
        told = self.succeeded + self.failed
        return self.succeeded / told if told else None

    def add(self, model: str, status: str, requests: int, usd: Decimal) -> None:
        self.requests += requests
        self.succeeded += requests * (status == LogStatus.SUCCEEDED)
        self.failed += requests * (status == LogStatus.FAILED)
        if is_simulated(model):
            self.simulated_usd += usd
        else:
            self.real_usd += usd


@dataclass
class Month:
    """From its first midnight, in the site's time zone, until now."""

    begin: datetime
    days: dict[date, Spent]  # every day until today
    total: Spent = field(default_factory=Spent)


def this_month(logs: QuerySet[GenerationLog]) -> Month:
    """What the requests of the month add up to."""
    now = timezone.localtime()
    first = now.date().replace(day=1)
    month = Month(midnight(first), {first + timedelta(days=each): Spent() for each in range(now.day)})
    in_it = logs.filter(created_at__gte=month.begin, created_at__lte=now).order_by()
    by_day = in_it.annotate(day=TruncDate("created_at")).values_list("day", "model", "status")
    for day, *sums in by_day.annotate(requests=Count("*"), usd=Sum("cost_usd")):
        month.days[day].add(*sums)
        month.total.add(*sums)
    return month


def midnight(day: date) -> datetime:
    """When the day begins, in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
