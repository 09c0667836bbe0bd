"""What the tests of the rate limits share: limits of a key, and a clock that they turn forward."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import F

from convgen.database.threads import DatabaseThreads
from generation.answers import Answer, Usage
from generation.endpoint import Endpoint
from generation.errors import GenerationError
from generation.limits import Grant, RequestLimit, Wait
from generation.models import RateGrant, RateState, RateWaiter
from generation.rate_headers import NOTHING_SAID, LimitSaid, RateHeaders

T = TypeVar("T")

TIMES: dict[Any, tuple[str, ...]] = {
    RateGrant: ("at", "output_until"),
    RateState: ("reported_at", "blocked_at", "blocked_until"),
    RateWaiter: ("since", "until", "asks_at"),
}


def target(requests: int = 10_000, input: int = 0, output: int = 0, *, key: str = "key") -> Endpoint:
    return Endpoint("http://127.0.0.1:1", key, requests, input, output)


def limit(*limits: int, key: str = "key", **options: Any) -> RequestLimit:
    """Of requests, input and output tokens, with a thread of its own for what is asynchronous."""
    return RequestLimit(target(*limits, key=key), DatabaseThreads(threads=1), **options)


def pass_time(seconds: float) -> None:
    """Make everything so much older."""
    for model, fields in TIMES.items():
        model.objects.update(**{name: F(name) - timedelta(seconds=seconds) for name in fields})


def granted(limited: RequestLimit, wanted: int = 1) -> list[Grant]:
    grants = limited.acquire(wanted)
    assert isinstance(grants, list), grants
    return grants


def one(limited: RequestLimit) -> Grant:
    [grant] = granted(limited)
    return grant


def waits(limited: RequestLimit, wanted: int = 1) -> Wait:
    wait = limited.acquire(wanted)
    assert isinstance(wait, Wait), wait
    return wait


def delays(limited: RequestLimit, wanted: int = 1) -> list[float]:
    return [round(grant.delay, 1) for grant in granted(limited, wanted)]


def headers(
    requests: tuple[int, int] | None = None,
    input: tuple[int, int] | None = None,
    output: tuple[int, int] | None = None,
) -> RateHeaders:
    """What a reply says: limit and remaining of each kind."""
    return RateHeaders(*(LimitSaid(*said) if said else LimitSaid() for said in (requests, input, output)))


def settle(grant: Grant, *, input: int = 0, output: int = 0, said: RateHeaders = NOTHING_SAID) -> None:
    answer = Answer("", "", Usage(input=input, output=output), "", {}, said)
    awaited(grant.limit, lambda: grant.limit.settle(grant, answer))


def fail(grant: Grant, error: GenerationError, said: RateHeaders = NOTHING_SAID) -> None:
    error.rate = said
    awaited(grant.limit, lambda: grant.limit.settle(grant, failed=error))


def awaited(limited: RequestLimit, function: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine with the limit's thread, which is closed afterwards."""

    async def run() -> T:
        async with limited.database:
            return await function()

    limited.database = DatabaseThreads(threads=1)
    return asyncio.run(run())


@dataclass
class Clock:
    """A `sleep` that takes no time: everything grows older instead."""

    database: DatabaseThreads
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        await self.database(pass_time, seconds)
        assert len(self.slept) < 100, "the limit never lets it through"
