"""The request limit, shared by every process on every machine through PostgreSQL.

A true sliding window: in no 60 seconds do more than `requests_per_minute` requests leave. Grants are first come,
first served; whoever finds no room asks again. The window is kept a second longer than promised, because requests do
not travel equally fast.
"""

import asyncio
from collections.abc import Awaitable, Callable

from django.db import connection

from convgen.database.threads import DatabaseThreads
from generation.endpoint import Endpoint

WINDOW = 61.0  # seconds
PATIENCE = 2.0  # seconds: how far ahead a grant may lie: pause must not wait for one longer than that

Sleep = Callable[[float], Awaitable[None]]  # seconds; may raise to end the wait


class RequestLimit:
    def __init__(self, endpoint: Endpoint, database: DatabaseThreads) -> None:
        self._endpoint = endpoint
        self._database = database

    def acquire(self, wanted: int) -> list[float]:
        """Delays in seconds after which up to `wanted` requests may be sent; or one negative number.

        The negative number says that there is no room now, and after how many seconds to ask again.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rate_acquire(%s, %s, %s, %s * interval '1 second', %s * interval '1 second')",
                [self._endpoint.limit_key, wanted, self._endpoint.requests_per_minute, WINDOW, PATIENCE],
            )
            delays: list[float] = cursor.fetchone()[0]
            return delays

    async def permit(self, sleep: Sleep = asyncio.sleep) -> None:
        """Return when one request may be sent."""
        while (delay := (await self._database(self.acquire, 1))[0]) < 0:
            await sleep(min(-delay, PATIENCE))
        await sleep(delay)
