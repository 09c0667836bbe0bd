"""Everything on one machine: web, worker, and simulated Claude when there is no key."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from honcho.environ import parse_procfile
from honcho.manager import Manager

from convgen import static_files
from convgen.processes import registered

SIMULATED = "claude"  # the Procfile's name of simulated Claude
STOPPED_BY_SIGNAL = (130, 143)


class Command(BaseCommand):
    help = "Starts the Procfile's processes: web, worker, and simulated Claude when ANTHROPIC_API_KEY is not set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *, port: int, host: str, **options: Any) -> None:
        self.stdout.write(f"convgen is at http://{host}:{port}/admin/")
        call_command("ensure_admin", stdout=self.stdout)
        self.stdout.flush()
        static_files.prepare()
        manager = Manager()
        procfile = Path(settings.BASE_DIR, "Procfile").read_text()
        for name, command in parse_procfile(procfile).processes.items():
            if name != SIMULATED or not settings.ANTHROPIC_API_KEY:
                manager.add_process(name, command, env=_environment(port, host), cwd=str(settings.BASE_DIR))
        with registered("serve"):
            manager.loop()
        sys.exit(0 if manager.returncode in STOPPED_BY_SIGNAL else manager.returncode)


def _environment(port: int, host: str) -> dict[str, str]:
    """Ours, with this virtual environment's programs first and output that is not held back."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "PORT": str(port), "HOST": host, "PYTHONUNBUFFERED": "1"}
