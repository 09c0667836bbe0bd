"""Write conversations to a training file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from conversations.choices import ExportFormat, Status
from conversations.exporting import SCOPES, TIERS, Choice, ExportError, export_choice, new_path
from conversations.models import Workspace
from conversations.workspaces import WorkspaceCommand


class Command(WorkspaceCommand):
    help = "Writes conversations to a training file. Only approved ones, unless told otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--format", default=ExportFormat.OPENAI, choices=ExportFormat.values)
        parser.add_argument(
            "--status",
            nargs="+",
            choices=SCOPES,
            help="One or several; all: whatever has turns. Left out: approved, or what else is chosen.",
        )
        parser.add_argument("--tier", default="all", choices=[value for value, _label in TIERS])
        parser.add_argument(
            "--conversation-ids",
            nargs="+",
            metavar="ID",
            help="These conversations, by UUID or readable id; instead of --status and --tier.",
        )
        parser.add_argument(
            "--include-simulated", action="store_true", help="Simulated conversations too. They are no training data."
        )
        parser.add_argument("--output", type=Path, help="The file; else a new one below var/exports.")

    def run(self, workspace: Workspace, **options: Any) -> None:
        try:
            choice = _choice(workspace, options)
            path = options["output"] or new_path(workspace, file_format=options["format"], scope=choice.scope)
            record = export_choice(workspace, choice, path=path.absolute(), file_format=options["format"])
        except ExportError as error:
            raise CommandError(str(error)) from error
        for readable_id, why in record.skipped.items():
            self.stderr.write(f"Skipped {readable_id}: {why}.")
        self.stdout.write(f"Exported {record.conversation_count} conversations to {record.file}")


def _choice(workspace: Workspace, options: dict[str, Any]) -> Choice:
    simulated, statuses, tier = options["include_simulated"], options["status"], options["tier"]
    if not (names := options["conversation_ids"]):
        return Choice.of_statuses(statuses or [Status.APPROVED.value], tier=tier, include_simulated=simulated)
    if statuses or tier != "all":
        raise CommandError("Name conversations, or choose them by status and tier; not both.")
    return Choice.of_names(names, workspace, include_simulated=simulated)
