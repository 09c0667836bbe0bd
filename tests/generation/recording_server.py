"""A server that records when requests and tokens reach it, and the most of them in any window."""

import asyncio
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Event = tuple[float, int]  # when (seconds, monotonic), and how much of it


@dataclass
class Recorder:
    """Answers after `latency` seconds, and says that it used tokens: a random number, from half to all of `most`."""

    latency: float = 0.05
    most_input: int = 0
    most_output: int = 0
    url: str = ""
    requests: list[Event] = field(default_factory=list)
    input: list[Event] = field(default_factory=list)  # counted when a request arrives
    output: list[Event] = field(default_factory=list)  # counted when its reply leaves
    askers: list[tuple[float, str]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        now = time.monotonic()
        used_input, used_output = (random.randint(most // 2, most) for most in (self.most_input, self.most_output))
        self.requests.append((now, 1))
        self.input.append((now, used_input))
        self.askers.append((now, request.headers["asker"]))
        await asyncio.sleep(self.latency * random.uniform(0.5, 1.5))
        self.output.append((time.monotonic(), used_output))
        return JSONResponse({"input": used_input, "output": used_output})

    def by_asker(self, after: float = 0.0) -> Counter[str]:
        """How many requests each has sent, later than so many seconds after the first."""
        begun = min(at for at, _asker in self.askers)
        return Counter(asker for at, asker in self.askers if at >= begun + after)

    def fairness(self, after: float = 0.0) -> float:
        """How often the most served was served for each time that the least served was: 1 is perfectly fair."""
        served = self.by_asker(after)
        counts = [served[asker] for asker in self.by_asker()]  # who was served at first, and never again, counts too
        return max(counts) / max(min(counts), 0.001)


def most_in_any(window: float, events: Iterable[Event]) -> int:
    """The most that any `window` seconds hold."""
    ordered = sorted(events)
    most = total = first = 0
    for at, amount in ordered:
        total += amount
        while ordered[first][0] <= at - window:
            total -= ordered[first][1]
            first += 1
        most = max(most, total)
    return most


@contextmanager
def recording(recorder: Recorder) -> Iterator[Recorder]:
    """Run the server in a thread of this process while the block runs."""
    listener = socket.create_server(("127.0.0.1", 0))
    recorder.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = Starlette(routes=[Route("/", recorder.answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield recorder
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
