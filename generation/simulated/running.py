"""Runs simulated Claude: in this process until told to stop, or beside it in a thread."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from generation.simulated.faults import RESET
from generation.simulated.server import SimulatedClaude

HOST = "127.0.0.1"
BACKLOG = 2_048  # connections that may wait to be accepted


@dataclass(frozen=True)
class Listening:
    """A server whose port is already open, so that its address is known before it answers."""

    claude: SimulatedClaude
    port: int
    socket: socket.socket
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def serve(self, *, idle_exit: float = 0.0) -> None:
        """Answer requests until a signal comes, or until nobody has asked for `idle_exit` seconds (0: for ever)."""
        if idle_exit:
            threading.Thread(target=self._watch, args=(idle_exit,), daemon=True).start()
        self.server.run(sockets=[self.socket])

    def _watch(self, idle_exit: float) -> None:
        while time.monotonic() - self.claude.last_asked < idle_exit:
            time.sleep(min(1.0, idle_exit))
        self.server.should_exit = True


class Resettable(HttpToolsProtocol):
    """HTTP whose connections can be torn down from within an answer: ASGI itself has no word for that."""

    def on_headers_complete(self) -> None:
        self.scope["extensions"] = {RESET: {"reset": self._reset}}
        super().on_headers_complete()

    def _reset(self) -> None:
        """Close the connection with a TCP reset: nothing lingers, so there is no orderly end."""
        own = self.transport.get_extra_info("socket").fileno()
        with socket.fromfd(own, socket.AF_INET, socket.SOCK_STREAM) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def listen(claude: SimulatedClaude, *, port: int = 0) -> Listening:
    """Open the port on the loopback interface; 0 takes a free one. Raises `OSError` when it is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(BACKLOG)  # whoever is told the address may connect at once, and waits until it serves
    config = uvicorn.Config(
        claude.app,
        http=Resettable,
        log_level="critical",
        lifespan="off",
        timeout_graceful_shutdown=1,
        backlog=BACKLOG,
    )
    return Listening(claude, listener.getsockname()[1], listener, uvicorn.Server(config))


@contextmanager
def beside(claude: SimulatedClaude) -> Iterator[Listening]:
    """Run the server in a thread of this process while the block runs."""
    listening = listen(claude)
    thread = threading.Thread(target=listening.serve, name="simulated-claude", daemon=True)
    thread.start()
    while not listening.server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield listening
    finally:
        listening.server.should_exit = True
        thread.join(timeout=10)
        listening.socket.close()
