"""How a worker is: the report that the file, the page and the process manager's watchdog are made from."""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from batches.worker.sentinel import Heart
from batches.worker.tending import SECONDS as TEND_SECONDS
from batches.worker.tending import AtWork, Tending

# Silence that is no cause for alarm: PostgreSQL may be restarted meanwhile, a statement may take its 30 seconds.
PATIENCE = 45.0  # seconds
HOPELESS = 180.0  # seconds of the sentinel's silence after which the cluster is begun anew


@dataclass(frozen=True)
class Report:
    worker: str  # host:pid
    status: str  # ok, draining, starting, failing
    problems: Sequence[str]  # in words; none unless it is failing
    since: datetime
    last_tended_at: datetime | None
    batches: Sequence[AtWork]

    @property
    def healthy(self) -> bool:
        return self.status in ("ok", "draining")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Health:
    heart: Heart
    tending: Tending
    draining: bool = False
    patience: float = PATIENCE
    since: datetime = field(default_factory=timezone.now)
    begun: float = field(default_factory=time.monotonic)

    def report(self) -> Report:
        problems = self._problems()
        return Report(
            worker=f"{socket.gethostname()}:{os.getpid()}",
            status=self._status(problems),
            problems=problems,
            since=self.since,
            last_tended_at=self.tending.last_at,
            batches=self.tending.at_work,
        )

    def _status(self, problems: Sequence[str]) -> str:
        if problems:
            return "failing"
        if self.tending.last is None:
            return "starting"
        return "draining" if self.draining else "ok"

    def _problems(self) -> list[str]:
        found = []
        if self.heart.silent_for > self.patience:
            found.append(f"The sentinel of the worker processes has stood still for {self.heart.silent_for:.0f} s.")
        untended = time.monotonic() - (self.tending.last or self.begun)
        if untended > self.patience + TEND_SECONDS:
            found.append(f"PostgreSQL has not answered for {untended:.0f} s.")
        return found
