"""The rate limits that the server enforces, and the headers that tell of them.

Source: Anthropic's page on rate limits. Each is a bucket that holds a minute's worth and is refilled continuously.
Requests and uncached input tokens (written to the cache or not) are taken when a request comes, output tokens when
they are written; `max_tokens` does not count. Each model has buckets of its own, and so have the batches and the
counting of tokens, which know requests alone.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from generation.simulated.behaviour import Behaviour
from generation.simulated.clock import Clock, rfc3339
from generation.simulated.refusal import Refusal

MINUTE = 60.0  # seconds
ROUNDED_FROM = 10_000  # tokens: remaining tokens are told in thousands, but exactly where the limit is smaller
THOUSAND = 1_000


@dataclass
class Bucket:
    """`limit` per minute. The level may fall below zero: output is counted after it was written."""

    limit: int
    level: float
    moment: float  # of the level

    def refill(self, now: float) -> None:
        self.level = min(self.limit, self.level + (now - self.moment) * self.limit / MINUTE)
        self.moment = now

    def wait(self, wanted: float) -> float:
        """Seconds until that much is in it, or until it is full."""
        return max(0.0, min(wanted, self.limit) - self.level) * MINUTE / self.limit

    def full(self) -> float:
        """Seconds until it is full."""
        return self.wait(self.limit)


class Limits:
    """The buckets of each model, and those of the other endpoints."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._groups: dict[str, Group] = {}

    def of_model(self, name: str, behaviour: Behaviour) -> "Group":
        return self._group(
            name,
            behaviour.requests_per_minute,
            behaviour.input_tokens_per_minute,
            behaviour.output_tokens_per_minute,
        )

    def of_endpoint(self, name: str, behaviour: Behaviour) -> "Group":
        """All endpoints of batches share one."""
        return self._group(name.partition(".")[0], behaviour.requests_per_minute, 0, 0)

    def _group(self, name: str, requests: int, input_tokens: int, output_tokens: int) -> "Group":
        """A changed limit begins with full buckets."""
        limits = {"requests": requests, "input-tokens": input_tokens, "output-tokens": output_tokens}
        if name not in self._groups or self._groups[name].limits != limits:
            self._groups[name] = Group(self._clock, limits)
        return self._groups[name]


class Group:
    """The limits of what shares them: one model, or one kind of request. Those of 0 are not enforced."""

    def __init__(self, clock: Clock, limits: dict[str, int]) -> None:
        self.limits = limits
        self._clock = clock
        now = clock.now()
        self._buckets = {name: Bucket(limit, limit, now) for name, limit in limits.items() if limit}

    def admit(self, *, input_tokens: int = 0) -> None:
        """Take what a request costs at its beginning. Raises `Refusal`, a 429, when there is too little."""
        costs = {"requests": 1, "input-tokens": input_tokens, "output-tokens": 0}
        self._refill()
        for name, bucket in self._buckets.items():
            needed = max(costs[name], 1) if name == "output-tokens" else costs[name]
            if bucket.level < needed:
                raise Exhausted(name, bucket.limit, bucket.wait(needed))
        for name, bucket in self._buckets.items():
            bucket.level -= costs[name]

    def wrote(self, output_tokens: int) -> None:
        """Take what a reply cost."""
        if bucket := self._buckets.get("output-tokens"):
            self._refill()
            bucket.level -= output_tokens

    def headers(self, *, exhausted: str = "") -> dict[str, str]:
        """What is left, as the API tells it; nothing of a limit that it just refused a request for."""
        if not self._buckets:
            return {}
        self._refill()
        left = {name: self._left(name, bucket, exhausted) for name, bucket in self._buckets.items()}
        told = {name: (bucket.limit, left[name], self._reset(bucket.full())) for name, bucket in self._buckets.items()}
        tokens = [name for name in told if name != "requests"]
        if tokens:
            until = max(self._buckets[name].full() for name in tokens)
            told["tokens"] = (
                sum(told[name][0] for name in tokens),
                sum(left[name] for name in tokens),
                self._reset(until),
            )
        return dict(_lines(told))

    def _left(self, name: str, bucket: Bucket, exhausted: str) -> int:
        if name == exhausted:
            return 0
        level = max(0, math.floor(bucket.level))
        if name == "requests" or bucket.limit < ROUNDED_FROM:
            return level
        return min(bucket.limit, round(level / THOUSAND) * THOUSAND)

    def _reset(self, seconds: float) -> str:
        """The date, in whole seconds, rounded up."""
        date = self._clock.date(self._clock.now() + seconds)
        return rfc3339(date.replace(microsecond=0) + timedelta(seconds=date.microsecond > 0))

    def _refill(self) -> None:
        now = self._clock.now()
        for bucket in self._buckets.values():
            bucket.refill(now)


class Exhausted(Refusal):
    """A 429 for a limit that is really used up; `limit_name` as in the headers."""

    def __init__(self, name: str, limit: int, wait: float) -> None:
        what = name.replace("-", " ")
        super().__init__(
            429,
            "rate_limit_error",
            f"This request would exceed your organization's rate limit of {limit:,} {what} per minute.",
            retry_after=max(1, math.ceil(wait)),
        )
        self.limit_name = name


def _lines(told: dict[str, tuple[int, int, str]]) -> Iterator[tuple[str, str]]:
    for name, (limit, left, reset) in told.items():
        start = f"anthropic-ratelimit-{name}"
        yield from {f"{start}-limit": str(limit), f"{start}-remaining": str(left), f"{start}-reset": reset}.items()
