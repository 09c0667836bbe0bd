"""Write conversations to a training file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from conversations.choices import ExportFormat, Status
from conversations.exporting import SCOPES, ExportError, export_conversations, new_path
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
        path = options["output"] or new_path(workspace, file_format=options["format"], scope=options["status"])
        try:
            record = export_conversations(
                workspace,
                path=path.absolute(),
                file_format=options["format"],
                scope=options["status"],
                include_simulated=options["include_simulated"],
            )
        except ExportError as error:
            raise CommandError(str(error)) from error
        for readable_id, why in record.skipped.items():
            self.stderr.write(f"Skipped {readable_id}: {why}.")
        self.stdout.write(f"Exported {record.conversation_count} conversations to {record.file}")
