"""Stop what this checkout started."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from convgen.database.embedded import EmbeddedServer
from convgen.processes import WORKER, running, stop_all


class Command(BaseCommand):
    help = "Ends the processes that this checkout started, its embedded PostgreSQL included."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        if WORKER in running():
            self.stdout.write("Stopping; calls in flight may finish first …")
            self.stdout.flush()
        stopped = stop_all()
        data_directory = settings.DATABASES["default"].get("DATA_DIRECTORY")
        if data_directory and EmbeddedServer(settings.VAR_DIR / "postgres").stop():
            stopped.append("PostgreSQL")
        self.stdout.write(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
