"""What a slice has begun and not ended: calls that Claude is at, and replies that are being saved."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from batches.leases import Work

Act = Callable[[Work, Callable[[], None]], Coroutine[Any, Any, None]]


class InFlight:
    """Work as tasks of the event loop; `ended` counts those that are through."""

    def __init__(self) -> None:
        self.ended = 0
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._works: dict[UUID, Work] = {}
        self._at_claude: set[UUID] = set()
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def calls(self) -> int:
        """How many of them Claude has not answered yet."""
        return len(self._at_claude)

    @property
    def works(self) -> list[Work]:
        return list(self._works.values())

    def begin(self, work: Work, act: Act) -> None:
        """Let `act` bring the work to its end. It is given what to call when Claude has answered."""
        key = work.call_id
        self._works[key] = work
        self._at_claude.add(key)
        self._tasks[key] = asyncio.create_task(act(work, partial(self._answered, key)))
        self._tasks[key].add_done_callback(lambda _task: self._end(key))

    async def news(self, seconds: float) -> None:
        """Return when Claude has answered, or a work has ended, but no later than in so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    def _answered(self, key: UUID) -> None:
        self._at_claude.discard(key)
        self._news.set()

    def _end(self, key: UUID) -> None:
        del self._tasks[key], self._works[key]
        self.ended += 1
        self._answered(key)
