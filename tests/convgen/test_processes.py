"""`make stop` ends the processes that this checkout started, and nobody else's."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from convgen import processes

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
WITH_CHILD = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {DEAF + SLEEP!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python processes that have said a word, and ends what the test leaves of them."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()


@pytest.fixture
def folder(settings: Any) -> Path:
    run: Path = settings.VAR_DIR / "run"
    run.mkdir(parents=True)
    return run


def _list(folder: Path, name: str, pid: int, *, started: float | None = None) -> Path:
    path = folder / f"{name}-{pid}.json"
    began = psutil.Process(pid).create_time() if started is None else started
    path.write_text(json.dumps({"name": name, "pid": pid, "started": began}))
    return path


def _up(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_process_is_on_the_list_while_it_works(folder: Path) -> None:
    with processes.registered("worker"):
        (file,) = folder.glob("*.json")
        entry = json.loads(file.read_text())
        assert entry["pid"] == psutil.Process().pid
        assert entry["started"] == psutil.Process().create_time()
    assert list(folder.iterdir()) == []


def test_a_process_that_fails_leaves_the_list_too(folder: Path) -> None:
    with pytest.raises(KeyError), processes.registered("worker"):
        raise KeyError
    assert list(folder.iterdir()) == []


def test_what_is_listed_is_ended_and_named(folder: Path, start: Start) -> None:
    web, worker = start(SLEEP), start(SLEEP)
    for name, process in (("serve", web), ("run_worker", worker)):
        _up(process)
        _list(folder, name, process.pid)
    assert processes.stop_all() == ["run_worker", "serve"]
    assert web.poll() is not None
    assert worker.poll() is not None
    assert list(folder.iterdir()) == []


def test_what_is_not_listed_goes_on(folder: Path, start: Start) -> None:
    stranger = start(SLEEP)
    _up(stranger)
    assert processes.stop_all() == []
    assert stranger.poll() is None


def test_a_recycled_pid_is_left_alone(folder: Path, start: Start) -> None:
    stranger = start(SLEEP)
    _up(stranger)
    _list(folder, "worker", stranger.pid, started=psutil.Process(stranger.pid).create_time() - 3600)
    assert processes.stop_all() == []
    assert stranger.poll() is None
    assert list(folder.iterdir()) == []


def test_a_process_that_will_not_end_is_killed_with_its_children(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.3)
    deaf = start(WITH_CHILD)
    child = psutil.Process(int(_up(deaf)))
    _list(folder, "worker", deaf.pid)
    assert processes.stop_all() == ["worker"]
    assert deaf.wait(timeout=5) == -9
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_entries_that_cannot_be_read_are_cleared_away(folder: Path) -> None:
    (folder / "worker-1.json").write_text("{")
    (folder / "worker-2.json").write_text('{"name": "worker"}')
    assert processes.stop_all() == []
    assert list(folder.iterdir()) == []


def test_other_files_of_the_folder_stay(folder: Path) -> None:
    (folder / "simulated-claude.address").write_text("http://127.0.0.1:1")
    processes.stop_all()
    assert [file.name for file in folder.iterdir()] == ["simulated-claude.address"]
