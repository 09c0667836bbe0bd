"""The end of a slice's work: from then on nothing new begins, and whoever only waits is told to stop waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from generation.limits import Grant
from generation.service import Interrupted


class Drain:
    """Set when the slice takes no new work; ends the sleeps of those that wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def begin(self) -> None:
        self._event.set()

    @property
    def begun(self) -> bool:
        return self._event.is_set()

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless the slice drains: then raise `Interrupted`."""
        if seconds > 0 and not self.begun:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), timeout=seconds)
        if self.begun:
            raise Interrupted


class Granted:
    """A permit whose first use was granted when the item was claimed; further ones ask the limit."""

    def __init__(self, grant: Grant, permit: Callable[[], Awaitable[Grant]], drain: Drain) -> None:
        self.unused: Grant | None = grant
        self._permit = permit
        self._drain = drain

    async def __call__(self) -> Grant:
        if self.unused is None:
            return await self._permit()
        grant, self.unused = self.unused, None
        await grant.wait(self._drain.sleep)
        return grant
