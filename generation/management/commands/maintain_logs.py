"""Make the generation log's months, and drop those that are too old."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generation.retention import LogInUse, Maintenance, maintain


class Command(BaseCommand):
    help = (
        "Makes the generation log's months ahead of time, and drops those that are older than is kept. "
        "Workers do it once a day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, help="Days to keep; else LOG_RETENTION_DAYS.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and change nothing.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")

    def handle(self, *, days: int | None, dry_run: bool, **options: Any) -> None:
        keep_days = settings.LOG_RETENTION_DAYS if days is None else days
        try:
            done = maintain(keep_days=keep_days, dry_run=dry_run)
        except (ValueError, LogInUse) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_as_json(done, dry_run) if options["json"] else _in_words(done, dry_run))


def _as_json(done: Maintenance, dry_run: bool) -> str:
    return json.dumps({**asdict(done), "dry_run": dry_run})


def _in_words(done: Maintenance, dry_run: bool) -> str:
    deeds = "; ".join(_deeds(done))
    if not deeds:
        return "Nothing to do: every month is there, and none is too old."
    return f"{'It would be' if dry_run else 'Done'}: {deeds}."


def _deeds(done: Maintenance) -> Iterator[str]:
    if done.made:
        yield f"made {', '.join(done.made)}"
    if done.moved:
        yield f"moved {_rows(done.moved)} from the default partition into their month"
    if done.dropped:
        yield f"dropped {', '.join(done.dropped)}"
    if done.deleted:
        yield f"deleted {_rows(done.deleted)} of the default partition"


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
