"""The processes that this checkout started, so that `make stop` ends them and nobody else's.

Each is a small file below `var/run` with its pid and start time: a pid alone may be recycled.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from django.conf import settings

WORKER = "run_worker"
PATIENCE = 15.0  # seconds for a process to end by itself before it is killed


@contextmanager
def registered(name: str) -> Iterator[None]:
    """Keep this process on the list while the block runs."""
    path = _folder() / f"{name}-{os.getpid()}.json"
    path.write_text(json.dumps({"name": name, "pid": os.getpid(), "started": psutil.Process().create_time()}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running() -> list[str]:
    """The names of the processes on the list that are there."""
    return [_name(path) for path in _listed() if _alive(path)]


def stop_all() -> list[str]:
    """End every process on the list; the names of those that were still there.

    A worker gets the time that its calls in flight may take, since they are paid for.
    """
    listed = _listed()
    alive = [(path, process) for path in listed if (process := _alive(path))]
    for _path, process in alive:
        process.terminate()
    for path, process in alive:
        patience = PATIENCE + (settings.ANTHROPIC_TIMEOUT if _name(path) == WORKER else 0)
        if psutil.wait_procs([process], timeout=patience)[1]:
            _kill_with_children(process)
    for path in listed:  # not the folder as it is now: a process may have begun meanwhile
        path.unlink(missing_ok=True)
    return [_name(path) for path, _process in alive]


def _listed() -> list[Path]:
    return sorted(_folder().glob("*.json"))


def _name(path: Path) -> str:
    return path.stem.rsplit("-", 1)[0]


def _kill_with_children(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()


def _alive(path: Path) -> psutil.Process | None:
    try:
        entry = json.loads(path.read_text())
        process = psutil.Process(entry["pid"])
        return process if process.create_time() == entry["started"] else None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None


def _folder() -> Path:
    folder = settings.VAR_DIR / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return Path(folder)
