"""Real processes of the product, on the test's own database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

import psutil
from django.conf import settings
from django.db import connection
from django.test import override_settings

from convgen import settings as configured
from convgen import static_files


def environment(**extra: str) -> dict[str, str]:
    """The environment of a child process that is to see what the test sees."""
    database = connection.get_connection_params()
    login = database["user"] + (f":{quote(database['password'])}" if database.get("password") else "")
    place = urlencode({name: database[name] for name in ("host", "port") if name in database})
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://{login}@/{database['dbname']}?{place}",
        "DJANGO_SECRET_KEY": settings.SECRET_KEY,  # it signs what is queued for the workers
        "ANTHROPIC_API_KEY": settings.ANTHROPIC_API_KEY,
        "ANTHROPIC_BASE_URL": settings.ANTHROPIC_BASE_URL,
        "RATE_LIMIT_RPM": "60000",
        "CONVGEN_VAR_DIR": str(settings.VAR_DIR),
        "STATIC_ROOT": str(configured.STATIC_ROOT),  # collected once, and not for each test
        "CONVGEN_DATABASE_POOL": "false",  # a test may have made a web process of this one
        "PYTHONUNBUFFERED": "1",
        **extra,
    }


def manage(*arguments: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments]


@contextmanager
def worker(**extra: str) -> Iterator[psutil.Process]:
    """A running worker; whatever is left of it is killed at the end."""
    process = subprocess.Popen(manage("run_worker"), env=environment(**extra))
    try:
        yield psutil.Process(process.pid)
    finally:
        kill_tree(process.pid)
        process.wait(timeout=10)


def kill_tree(pid: int) -> None:
    """kill -9 a process and all its descendants, as an out-of-memory killer or a power cut would."""
    try:
        family = [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=10)


def eventually(condition: Callable[[], Any], *, seconds: float = 60) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


@contextmanager
def web(*, log: IO[bytes] | None = None, **extra: str) -> Iterator[str]:
    """A running web process on a loopback port that is free; its address. What it says goes to stderr, or to `log`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "convgen.asgi:application", "--port", str(port), "--log-level", "error"]
    with override_settings(STORAGES=configured.STORAGES, STATIC_ROOT=configured.STATIC_ROOT):
        static_files.prepare()
    told = environment(CONVGEN_DATABASE_POOL="true", **extra)
    process = subprocess.Popen(command, env=told, cwd=settings.BASE_DIR, stderr=log)
    try:
        eventually(lambda: _listens(port), seconds=30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            kill_tree(process.pid)
            process.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
