"""When to ask again, and how long to wait before."""

import random
from dataclasses import dataclass

from django.db.models import TextChoices

MOST_ATTEMPTS = 10  # that anybody may ask for: what failed so often will fail again
LONGEST_BACKOFF = 16.0  # seconds: the last of 1, 2, 4, 8, 16
JITTER = 0.25  # share added at random, so that many waiters do not come back at one moment
LONGEST_RETRY_AFTER = 300.0  # seconds: what Claude asks for is honoured up to here


class RetryStrategy(TextChoices):
    """How the waits between the attempts at one conversation grow."""

    EXPONENTIAL = "exponential", "Exponential: 1, 2, 4, 8, 16 s"
    LINEAR = "linear", "Linear: 1, 2, 3, 4, 5 s"
    FIXED = "fixed", "Fixed: 1, 1, 1, 1, 1 s"


@dataclass(frozen=True)
class RetryPolicy:
    """How often one conversation is asked for, and how long is waited in between."""

    attempts: int = 3  # requests, at most
    strategy: str = RetryStrategy.EXPONENTIAL
    first_wait: float = 1.0  # seconds

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the `attempt`th request (from 1), before chance adds its part."""
        growth = {
            RetryStrategy.EXPONENTIAL: float(2 ** min(attempt - 1, 10)),  # 2 ** 10 is beyond the longest anyway
            RetryStrategy.LINEAR: float(attempt),
            RetryStrategy.FIXED: 1.0,
        }
        return min(self.first_wait * growth[RetryStrategy(self.strategy)], LONGEST_BACKOFF)

    def wait(self, attempt: int, asked: float | None = None) -> float:
        """Seconds to wait after the `attempt`th request: what Claude `asked` for, else the strategy's; and a little
        more by chance."""
        backoff = self.backoff(attempt)
        wait = backoff if asked is None else min(asked, LONGEST_RETRY_AFTER)
        return wait + random.uniform(0, JITTER * min(wait, backoff))
