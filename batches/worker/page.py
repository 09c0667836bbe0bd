"""`GET /health` of a worker, for the probes of an orchestrator: 200 while it is healthy, else 503, and the report."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from batches.worker.health import Report

PATH = "/health"


class HealthServer(ThreadingHTTPServer):
    """Its port is opened before the fork: a port that is taken is told at once, and a cluster that is begun anew
    goes on listening.
    """

    daemon_threads = True
    report: Callable[[], Report]

    @classmethod
    def from_settings(cls) -> "HealthServer | None":
        """None unless `WORKER_HEALTH_PORT` names a port. Raises `OSError` when that cannot be opened."""
        if not settings.WORKER_HEALTH_PORT:
            return None
        return cls((settings.WORKER_HEALTH_HOST, settings.WORKER_HEALTH_PORT), _Handler)

    def begin(self, report: Callable[[], Report]) -> None:
        """Answer, in threads."""
        self.report = report
        threading.Thread(target=self.serve_forever, name="health", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: HealthServer
    timeout = 5  # seconds that a caller may take for a request

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != PATH:
            self._answer(404, {"error": f"There is only {PATH}."})
            return
        report = self.server.report()
        self._answer(200 if report.healthy else 503, report.as_json())

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content, cls=DjangoJSONEncoder).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Probes come every few seconds: they are not logged."""
