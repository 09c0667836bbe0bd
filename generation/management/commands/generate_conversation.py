"""Generate one conversation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from conversations.models import Conversation, Workspace
from conversations.workspaces import WorkspaceCommand
from generation.command_line import parameters_from
from generation.errors import GenerationError
from generation.service import generate
from generation.simulated.launcher import SimulatedClaudeError


class Command(WorkspaceCommand):
    help = "Generates one conversation that is a draft or has failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", help="Its readable id, such as TPL-0001.")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="For this run alone.")

    def run(self, workspace: Workspace, **options: Any) -> None:
        try:
            draft = Conversation.objects.get(workspace=workspace, conversation_id=options["id"])
            made = generate(draft.pk, parameters=parameters_from(options["param"]))
        except Conversation.DoesNotExist:
            raise CommandError(f"There is no conversation {options['id']}.") from None
        except (GenerationError, SimulatedClaudeError, ValueError) as error:
            raise CommandError(str(error)) from error
        facts = [f"{made.turn_count} turns", f"quality {made.quality_score}", f"${made.cost_usd}"]
        facts += ["simulated"] if made.simulated else []
        self.stdout.write(f"{made}: “{made.title}”, {', '.join(facts)}")
