"""The server's time: real, but a test can let minutes pass without waiting."""

import time
from datetime import UTC, datetime


class Clock:
    """Seconds that only ever grow. Caches, limits and batches live by it; latency is really waited for."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._began = time.time() - time.monotonic()  # seconds since 1970

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises `ValueError` for a negative number: it never goes back."""
        if seconds < 0:
            raise ValueError("Time does not go back: advance by 0 seconds or more.")
        self._ahead += seconds

    def date(self, moment: float) -> datetime:
        """The date (UTC) of a moment that `now` gave, or of one to come."""
        return datetime.fromtimestamp(self._began + moment, UTC)


def rfc3339(date: datetime) -> str:
    """Such as `2026-11-24T20:30:00.123456Z`: how the API writes dates."""
    return date.isoformat().replace("+00:00", "Z")
