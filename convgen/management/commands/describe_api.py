"""The API's schema and the list of its operations, as files of the documentation."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from convgen.schema.api import openapi_document, operations_document

DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/api/openapi.yaml": openapi_document,
    "docs/api/operations.md": operations_document,
}


class Command(BaseCommand):
    help = f"Writes {' and '.join(DOCUMENTS)} from the views."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing, and fail where a file is stale.")

    def handle(self, *, check: bool, **options: Any) -> None:
        for name, document in DOCUMENTS.items():
            path = Path(settings.BASE_DIR, name)
            if (path.read_text() if path.exists() else "") == document():
                continue
            if check:
                raise CommandError(f"{name} is stale: run `make docs`.")
            path.write_text(document())
            self.stdout.write(f"Written: {name}")
