"""The worker: runs batches and scheduled tasks until it is told to stop. `batches/worker/` says how."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from batches.worker import liveness
from batches.worker.page import HealthServer
from batches.worker.readiness import (
    NotReady,
    check_connections,
    check_migrations,
    ended_by_signals,
    wait_for_postgresql,
)
from batches.worker.supervisor import supervise
from generation import claude


class Command(BaseCommand):
    help = (
        "Runs batches and scheduled tasks. SIGTERM or Ctrl-C lets calls in flight finish; Ctrl-C twice does not wait "
        "for them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--alive", action="store_true", help="Start nothing: tell whether the workers of this checkout are healthy."
        )

    def handle(self, *, alive: bool, **options: Any) -> None:
        if alive:
            self._tell_whether_alive()
            return
        server = _health_server()
        _check_database()
        claude.preload()  # once here, and not in every worker process
        connections.close_all()  # a connection must not be shared over the fork
        sys.exit(supervise(server))

    def _tell_whether_alive(self) -> None:
        found = liveness.signs()
        if not found:
            raise CommandError("No worker of this checkout is healthy, or none runs.")
        for sign in found:
            self.stdout.write(f"{sign.worker}: healthy {sign.age:.0f} s ago")
        if not all(sign.alive for sign in found):
            raise CommandError("A worker of this checkout stands still, or cannot reach PostgreSQL.")


def _health_server() -> HealthServer | None:
    try:
        return HealthServer.from_settings()
    except OSError as error:
        place = f"{settings.WORKER_HEALTH_HOST}:{settings.WORKER_HEALTH_PORT}"
        raise CommandError(
            f"The worker's health cannot be told at {place}: {error.strerror}. Set WORKER_HEALTH_PORT to a free port."
        ) from error


def _check_database() -> None:
    try:
        check_connections()
        with ended_by_signals():
            wait_for_postgresql()
        check_migrations()
    except (NotReady, ImproperlyConfigured) as error:
        raise CommandError(str(error)) from error
