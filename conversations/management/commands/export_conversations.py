"""Write conversations to a training file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from conversations.choices import ExportFormat, Status
from conversations.exporting import ExportError, export_conversations
from conversations.exporting.export import SCOPES
from conversations.models import Workspace
from conversations.workspaces import WorkspaceCommand


class Command(WorkspaceCommand):
    help = "Writes conversations to a training file. Only approved ones, unless told otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--format", default=ExportFormat.OPENAI, choices=ExportFormat.values)
        parser.add_argument("--status", default=Status.APPROVED, choices=SCOPES)
        parser.add_argument(
            "--include-simulated", action="store_true", help="Simulated conversations too. They are no training data."
        )
        parser.add_argument("--output", type=Path, help="The file; else a new one below var/exports.")

    def run(self, workspace: Workspace, **options: Any) -> None:
        try:
            exported = export_conversations(
                workspace,
                path=(options["output"] or _default_path(options["format"])).absolute(),
                file_format=options["format"],
                scope=options["status"],
                include_simulated=options["include_simulated"],
            )
        except ExportError as error:
            raise CommandError(str(error)) from error
        for readable_id, why in exported.skipped.items():
            self.stderr.write(f"Skipped {readable_id}: {why}.")
        self.stdout.write(f"Exported {exported.record.conversation_count} conversations to {exported.record.file}")


def _default_path(file_format: str) -> Path:
    return Path(settings.VAR_DIR) / "exports" / f"{file_format}-{timezone.now():%Y%m%d-%H%M%S-%f}.jsonl"
