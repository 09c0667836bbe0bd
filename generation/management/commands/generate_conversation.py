"""Generate one conversation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.models import Conversation
from conversations.workspaces import WorkspaceUnknown, find_workspace
from generation.errors import GenerationError
from generation.parameters import parameters_from
from generation.service import generate
from generation.simulated.launcher import SimulatedClaudeError


class Command(BaseCommand):
    help = "Generates one conversation that is a draft or has failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="Its readable id, such as TPL-0001.")
        parser.add_argument("--workspace", default="", help="Its slug; else the default workspace.")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="For this run alone.")

    def handle(self, *, id: str, workspace: str, param: list[str], **options: Any) -> None:
        try:
            draft = Conversation.objects.get(workspace=find_workspace(workspace), conversation_id=id)
            made = generate(draft.pk, parameters=parameters_from(param))
        except Conversation.DoesNotExist:
            raise CommandError(f"There is no conversation {id}.") from None
        except (WorkspaceUnknown, GenerationError, SimulatedClaudeError, ValueError) as error:
            raise CommandError(str(error)) from error
        facts = [f"{made.turn_count} turns", f"quality {made.quality_score}", f"${made.cost_usd}"]
        facts += ["simulated"] if made.simulated else []
        self.stdout.write(f"{made}: “{made.title}”, {', '.join(facts)}")
