"""How many requests somebody may send: counted in PostgreSQL, by every process alike.

The generic cell rate algorithm (ITU-T I.371): one moment per counter says when it will be empty again. Each request
moves it on by the time that one request is worth; none may move it further than a minute ahead. So a minute's worth may
come at once, and then as much as drains: never twice as much around the turn of a minute, as with counted minutes.
"""

from dataclasses import dataclass
from math import ceil
from random import random

from django.db import connection

WINDOW = 60.0  # seconds
SWEEPS = 0.001  # share of requests that sweep out the empty counters: of addresses, there is no end of them

# One statement, so that two requests at the same moment are both counted. The clock is PostgreSQL's.
TAKE = """
INSERT INTO convgen_throttle AS throttle (key, empty_at)
VALUES (%(key)s, clock_timestamp() + %(each)s * interval '1 second')
ON CONFLICT (key) DO UPDATE
SET empty_at = greatest(throttle.empty_at, clock_timestamp()) + %(each)s * interval '1 second'
WHERE greatest(throttle.empty_at, clock_timestamp())
    <= clock_timestamp() + (%(window)s - %(each)s + 0.001) * interval '1 second'
RETURNING extract(epoch FROM empty_at - clock_timestamp())::float
"""

# Another statement, which sees what others have written while the first one waited for them.
LOOK = """
SELECT coalesce(extract(epoch FROM max(empty_at) - clock_timestamp()), 0)::float
FROM convgen_throttle WHERE key = %(key)s
"""

# What somebody uses at this moment is not empty for long.
FORGET = """
DELETE FROM convgen_throttle WHERE key IN (
    SELECT key FROM convgen_throttle WHERE empty_at < clock_timestamp() FOR UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True)
class Allowance:
    """Whether a request may go on, and what is left. `empty_in`: seconds until all of `limit` is there again."""

    granted: bool
    limit: int  # requests a minute
    empty_in: float

    @property
    def remaining(self) -> int:
        """Requests that may follow at once."""
        return max(0, int((WINDOW - self.empty_in) / self._each + 0.01))

    @property
    def retry_after(self) -> int:
        """Whole seconds until the next request is granted."""
        return max(1, ceil(self.empty_in + self._each - WINDOW))

    @property
    def reset(self) -> int:
        """Whole seconds until all are there again."""
        return max(0, ceil(self.empty_in))

    @property
    def _each(self) -> float:
        return WINDOW / self.limit


def take(key: str, *, per_minute: int) -> Allowance:
    """Count one request of `key`, unless it has used up its minute."""
    if random() < SWEEPS:
        forget()
    parameters: dict[str, str | float] = {"key": key, "each": WINDOW / per_minute, "window": WINDOW}
    with connection.cursor() as cursor:
        cursor.execute(TAKE, parameters)
        taken = cursor.fetchone()
        if taken:
            return Allowance(True, per_minute, *taken)
        cursor.execute(LOOK, parameters)
        return Allowance(False, per_minute, *cursor.fetchone())


def forget() -> int:
    """Delete the counters that are empty, which say nothing any more; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET)
        return int(cursor.rowcount)
