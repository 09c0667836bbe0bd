"""A bare HTTP server on the loopback interface, for answers that simulated Claude would never give."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REQUEST_ID = "req_raw_1"


@dataclass(frozen=True)
class Raw:
    """One answer, byte for byte."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class RawServer:
    url: str
    answers: list[Raw]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)  # of the requests; names in lower case


def error(status: int, kind: str, message: str, *, code: str = "", **headers: str) -> Raw:
    """An error in Anthropic's shape; `retry_after="3"` is a header."""
    details = {"details": {"error_code": code}} if code else {}
    body = {"type": "error", "error": {"type": kind, "message": message, **details}}
    return Raw(status, json.dumps(body).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def message(**changes: Any) -> Raw:
    """A good message, but for the changes."""
    body: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1_000, "output_tokens": 100},
    }
    return Raw(200, json.dumps({**body, **changes}).encode())


@contextmanager
def answering(*answers: Raw) -> Iterator[RawServer]:
    """Serve the answers in turn, the last one again and again."""
    server = RawServer("", list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.requests.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.do_GET()

        def do_GET(self) -> None:
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            self.send_response(answer.status)
            headers = {"content-type": "application/json", "request-id": REQUEST_ID, **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        listening.shutdown()
        thread.join()


@contextmanager
def dripping(*, every: float) -> Iterator[str]:
    """Serve an answer that never ends: a byte each so many seconds."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "100000")
            self.end_headers()
            while not over.wait(every):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}"
    finally:
        over.set()
        http.shutdown()
        http.server_close()
