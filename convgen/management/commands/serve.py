"""Everything on one machine: web, worker, and simulated Claude when there is no key."""

import shlex
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from honcho.manager import Manager

from convgen.processes import registered


class Command(BaseCommand):
    help = "Serves the web pages and runs a worker, and simulated Claude when ANTHROPIC_API_KEY is not set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *, port: int, host: str, **options: Any) -> None:
        self.stdout.write(f"convgen is at http://{host}:{port}/admin/")
        call_command("ensure_admin", stdout=self.stdout)
        self.stdout.flush()
        manager = Manager()
        for name, command in _processes(host, port).items():
            # exec: signals go to the program, not to a shell before it.
            manager.add_process(name, f"exec {shlex.join(command)}", cwd=str(settings.BASE_DIR))
        with registered("serve"):
            manager.loop()
        sys.exit(0 if manager.returncode in (130, 143) else manager.returncode)


def _processes(host: str, port: int) -> dict[str, list[str]]:
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    web = [sys.executable, "-m", "uvicorn", "convgen.asgi:application", "--host", host, "--port", str(port)]
    processes = {"web": [*web, "--log-level", "warning"], "worker": [*manage, "run_worker"]}
    if not settings.ANTHROPIC_API_KEY:
        processes["claude"] = [*manage, "simulate_claude"]
    return processes
