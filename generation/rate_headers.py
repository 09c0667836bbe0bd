"""What a reply's headers say about the rate limits: https://platform.claude.com/docs/en/api/rate-limits.

    anthropic-ratelimit-requests-limit: 50          in a minute
    anthropic-ratelimit-requests-remaining: 49
    anthropic-ratelimit-requests-reset: 2026-11-24T12:00:01Z

The same for `input-tokens` and `output-tokens`, whose remaining number is rounded to thousands. What cannot be read
counts as not said: headers are advice, and no reply is lost for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

KINDS = ("requests", "input-tokens", "output-tokens")
MOST = 2**31 - 1  # what a column holds


@dataclass(frozen=True)
class LimitSaid:
    """What the headers say about one kind of limit; None where they say nothing."""

    limit: int | None = None  # in a minute
    remaining: int | None = None
    reset_in: float | None = None  # seconds until all is there again


@dataclass(frozen=True)
class RateHeaders:
    requests: LimitSaid = LimitSaid()
    input: LimitSaid = LimitSaid()
    output: LimitSaid = LimitSaid()

    @property
    def limits(self) -> list[int | None]:
        return [said.limit for said in self._all]

    @property
    def remaining(self) -> list[int | None]:
        return [said.remaining for said in self._all]

    @property
    def exhausted(self) -> bool:
        """Whether nothing remains of one of them."""
        return 0 in self.remaining

    @property
    def exhausted_for(self) -> float | None:
        """Seconds until what is exhausted is there again."""
        resets = [said.reset_in for said in self._all if said.remaining == 0 and said.reset_in is not None]
        return max(resets, default=None)

    @property
    def tokens_limited(self) -> bool:
        return self.input.limit is not None or self.output.limit is not None

    @property
    def _all(self) -> tuple[LimitSaid, ...]:
        return (self.requests, self.input, self.output)


NOTHING_SAID = RateHeaders()


def rate_headers(headers: Mapping[str, str]) -> RateHeaders:
    """The rate limits that a reply's headers tell; `headers` is looked up in lower case."""
    now = _moment(headers)
    return RateHeaders(*(_said(headers, f"anthropic-ratelimit-{kind}", now) for kind in KINDS))


def _said(headers: Mapping[str, str], name: str, now: datetime) -> LimitSaid:
    limit = _number(headers.get(f"{name}-limit"))
    return LimitSaid(
        limit=limit or None,  # a limit of nothing would be a 403, not a limit
        remaining=_number(headers.get(f"{name}-remaining")),
        reset_in=_seconds_until(headers.get(f"{name}-reset"), now),
    )


def _number(text: str | None) -> int | None:
    if text is None or len(text) > 100:  # Python refuses to read thousands of digits
        return None
    return min(int(text), MOST) if text.isascii() and text.isdecimal() else None


def _seconds_until(text: str | None, now: datetime) -> float | None:
    try:
        return max(0.0, (datetime.fromisoformat(text or "") - now).total_seconds())
    except (ValueError, TypeError):  # not a date, or one without a time zone
        return None


def _moment(headers: Mapping[str, str]) -> datetime:
    """When the server sent the reply, by its own clock."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)
