"""How the rate limits stand: what of them is used, who waits, and whether Claude asked everybody to wait.

The page of the admin, the command and the metrics tell what is found here, so that they tell the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum
from django.utils import timezone

from generation.limits import WINDOW
from generation.models import RateGrant, RateState, RateWaiter
from generation.priority import Priority

PASSED_OVER = timedelta(seconds=1)  # after which a waiter that did not come back is taken for dead, as in rate_ask.sql


@dataclass(frozen=True)
class Use:
    """One of the three limits."""

    kind: str  # requests, input, output
    limit: int | None  # in a minute; None: not known, and not held
    used: int  # of what counts at the moment; tokens are counted only where they have a limit
    reported: int | None  # what Claude's newest reply said remains

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def name(self) -> str:
        return self.kind if self.kind == "requests" else f"{self.kind} tokens"

    def __str__(self) -> str:
        return "no limit known" if self.limit is None else f"{self.used:,} of {self.limit:,}"


@dataclass(frozen=True)
class RateOverview:
    """The limits of one key at a moment."""

    state: RateState
    at: datetime
    uses: tuple[Use, Use, Use]
    waiting: list[RateWaiter]  # in the order in which they will be served

    @property
    def blocked_for(self) -> float:
        """Seconds for which everybody still waits because Claude asked for it; 0 when nobody has to."""
        until = self.state.blocked_until
        return max(0.0, (until - self.at).total_seconds()) if until else 0.0

    @property
    def longest_wait(self) -> float:
        """Seconds for which somebody has waited."""
        return max((self.waited(waiter) for waiter in self.waiting), default=0.0)

    def waited(self, waiter: RateWaiter) -> float:
        """Seconds."""
        return max(0.0, (self.at - waiter.since).total_seconds())

    def turn_in(self, waiter: RateWaiter) -> float:
        """Seconds until its turn is likely to come."""
        return max(0.0, (waiter.until - self.at).total_seconds())

    def waiting_with(self, priority: Priority) -> int:
        return sum(waiter.priority == priority for waiter in self.waiting)


def rate_overviews(states: Iterable[RateState] | None = None) -> list[RateOverview]:
    """Of those keys; without any, of all that were ever used here."""
    chosen = RateState.objects.order_by("address", "key") if states is None else states
    return [_overview(state, timezone.now()) for state in chosen]


def _overview(state: RateState, now: datetime) -> RateOverview:
    recent = Q(at__gt=now - timedelta(seconds=WINDOW))
    used = RateGrant.objects.filter(key=state.key).aggregate(
        requests=Count("pk", filter=recent),
        input=Sum("input_tokens", filter=recent, default=0),
        output=Sum("output_tokens", filter=Q(output_until__gt=now, output_tokens__gt=0), default=0),
    )
    uses = (
        Use("requests", state.requests_limit, used["requests"], state.requests_remaining),
        Use("input", state.input_limit, used["input"], state.input_remaining),
        Use("output", state.output_limit, used["output"], state.output_remaining),
    )
    ranks = list(Priority)
    waiting = RateWaiter.objects.filter(key=state.key, asks_at__gt=now - PASSED_OVER)
    in_order = sorted(waiting, key=lambda waiter: (ranks.index(Priority(waiter.priority)), waiter.pk))
    return RateOverview(state, now, uses, in_order)
