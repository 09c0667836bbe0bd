"""Processes that send as many requests as the rate limit lets through, all at once.

`hammering(…)` starts them; each is this file run as a script. They say when they are ready, begin together, and stop at
SIGTERM.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Load:
    """How hard each process hammers, and against which limits."""

    requests: int  # in a window
    input: int = 0
    output: int = 0
    window: float = 61.0  # seconds
    patience: float = 2.0
    at_once: int = 5  # requests of each process
    priority: str = "normal"


@dataclass
class Hammers:
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)
    paused_after: list[float] = field(default_factory=list)  # seconds from SIGTERM to the end of the last wait

    def begin(self) -> None:
        """Let them begin together."""
        for process in self.processes:
            assert process.stdout and process.stdin
            assert process.stdout.readline() == "ready\n"
        for process in self.processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            out, _none = process.communicate(timeout=60)
            assert process.returncode == 0
            self.paused_after.append(json.loads(out)["paused_after"])


@contextmanager
def hammering(url: str, *loads: Load, database: str) -> Iterator[Hammers]:
    """One process for each load; ended with the block."""
    from django.conf import settings

    hammers = Hammers()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "convgen.settings", "PYTHONPATH": str(settings.BASE_DIR)}
    try:
        for number, load in enumerate(loads):
            arguments = json.dumps({"url": url, "asker": f"hammer {number}", "database": database, **asdict(load)})
            hammers.processes.append(
                subprocess.Popen(
                    [sys.executable, __file__, arguments],
                    cwd=settings.BASE_DIR,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        yield hammers
    finally:
        for process in hammers.processes:
            process.kill()
            process.communicate()


async def _hammer(options: dict[str, Any]) -> None:
    from batches.draining import Drain
    from convgen.database.threads import DatabaseThreads
    from generation.endpoint import Endpoint
    from generation.limits import RequestLimit
    from generation.priority import Priority
    from generation.service import Interrupted

    drain = Drain()
    signalled: list[float] = []
    waits_ended: list[float] = []

    def stop() -> None:
        signalled.append(time.monotonic())
        drain.begin()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    target = Endpoint(options["url"], "key", options["requests"], options["input"], options["output"])

    async def keep_sending(limit: RequestLimit) -> None:
        with suppress(Interrupted):
            while not drain.begun:
                try:
                    grant = await limit.permit(drain.sleep)
                finally:
                    waits_ended.append(time.monotonic())
                await grant.sent(_post(options["url"], options["asker"]))

    async with DatabaseThreads(threads=1) as database:
        limit = RequestLimit(
            target,
            database,
            who=options["asker"],
            priority=Priority(options["priority"]),
            window=options["window"],
            patience=options["patience"],
        )
        await asyncio.gather(*(keep_sending(limit) for _ in range(options["at_once"])))
    _tell(json.dumps({"paused_after": max(waits_ended) - signalled[0]}))


async def _post(url: str, asker: str) -> Any:
    """Send one request; what the reply says that it used, as Claude's answer would."""
    from generation.answers import Answer, Usage

    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(
        f"POST / HTTP/1.1\r\nHost: x\r\nAsker: {asker}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    reply = await reader.read()
    writer.close()
    used = json.loads(reply.rpartition(b"\r\n\r\n")[2])
    return Answer("", "", Usage(input=used["input"], output=used["output"]), "", {})


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    options = json.loads(sys.argv[1])
    connection.settings_dict["NAME"] = options["database"]
    connection.ensure_connection()
    _tell("ready")
    sys.stdin.readline()
    asyncio.run(_hammer(options))


if __name__ == "__main__":
    main()
