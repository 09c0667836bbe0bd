"""Pages of the documentation that are written from the code and the database."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from convgen.schema.catalogue import TableMissing
from convgen.schema.document import database_document
from convgen.schema.states import states_document

DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/database.md": database_document,
    "docs/states.md": states_document,
}


class Command(BaseCommand):
    help = f"Writes {', '.join(DOCUMENTS)} from the models and the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing, and fail where a page is stale.")

    def handle(self, *, check: bool, **options: Any) -> None:
        for name, document in DOCUMENTS.items():
            path = Path(settings.BASE_DIR, name)
            if (path.read_text() if path.exists() else "") == _written(document):
                continue
            if check:
                raise CommandError(f"{name} is stale: run `make docs`.")
            path.write_text(_written(document))
            self.stdout.write(f"Written: {name}")


def _written(document: Callable[[], str]) -> str:
    try:
        return document()
    except TableMissing as missing:
        raise CommandError(f"There is no table {missing}: run `manage.py migrate` first.") from missing
