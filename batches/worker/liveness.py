"""The sign of life: a file below `var/run` that is written again every few seconds, as long as the worker is healthy.

Its age is the proof, so that a process which stands still cannot look alive. `run_worker --alive` reads it.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from batches.worker.health import Report

WRITE_SECONDS = 5.0
STALE_SECONDS = 20.0  # by the wall clock, as files are: a clock that is set can fail one look, and not the next


@dataclass(frozen=True)
class Sign:
    """A worker of this checkout, as its file shows it."""

    worker: str
    age: float  # seconds since it was last healthy

    @property
    def alive(self) -> bool:
        return -STALE_SECONDS < self.age < STALE_SECONDS


@contextmanager
def sign_of_life() -> Iterator[Path]:
    """The file of this process, which goes when the block ends; those of processes that were killed go at once."""
    path = _folder() / f"{os.getpid()}.json"
    for left in _folder().glob("*.json"):
        if not psutil.pid_exists(int(left.stem)):
            left.unlink(missing_ok=True)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def write(path: Path, report: Report) -> None:
    """Whole or not at all: somebody may read it at this moment."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(report.as_json(), cls=DjangoJSONEncoder, indent=2))
    draft.replace(path)


def signs() -> list[Sign]:
    """Of every worker of this checkout whose process is there."""
    found = []
    for path in sorted(_folder().glob("*.json")):
        try:
            if psutil.pid_exists(int(path.stem)):
                found.append(Sign(json.loads(path.read_text())["worker"], time.time() - path.stat().st_mtime))
        except FileNotFoundError:  # it has just ended
            continue
    return found


def _folder() -> Path:
    folder = Path(settings.VAR_DIR, "run", "alive")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
