"""Write a conversation anew, as its next version."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from conversations import versions
from conversations.choices import DimensionKind
from conversations.models import Conversation, Workspace
from conversations.workspaces import WorkspaceCommand
from generation.command_line import (
    add_configuration,
    add_parameters,
    facts_of,
    overrides_from,
    parameters_from,
    sentence_of,
)
from generation.errors import GenerationError
from generation.regeneration import regenerate
from generation.simulated.launcher import SimulatedClaudeError


class Command(WorkspaceCommand):
    help = (
        "Writes a conversation anew, as its next version, and archives the former one when that has succeeded. What "
        "is not given stays as it was; after a failure, as it was in the version that failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", help="The readable id of the current version, such as TPL-0001.")
        add_parameters(parser)
        for kind in DimensionKind.values:
            parser.add_argument(f"--{kind}", metavar="NAME", help=f"Another {kind}; empty for none.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")
        add_configuration(parser)

    def run(self, workspace: Workspace, **options: Any) -> None:
        former = Conversation.objects.filter(workspace=workspace).named(options["id"]).first()
        if former is None:
            raise CommandError(f"There is no conversation {options['id']}.")
        try:
            made = regenerate(former.pk, changes=_changes(former, options), overrides=overrides_from(options))
        except (GenerationError, SimulatedClaudeError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_as_json(former, made) if options["json"] else _in_words(former, made))


def _changes(former: Conversation, options: dict[str, Any]) -> dict[str, Any]:
    changes = {kind: options[kind] for kind in DimensionKind.values if options[kind] is not None}
    if given := parameters_from(options["param"]):
        changes["parameters"] = {**versions.chain(former).starting_point.parameters, **given}
    return changes


def _as_json(former: Conversation, made: Conversation) -> str:
    facts = {**facts_of(made), "version": made.version, "archived": former.conversation_id}
    return json.dumps(facts, ensure_ascii=False)


def _in_words(former: Conversation, made: Conversation) -> str:
    return f"{sentence_of(made, before=former)}. {former} is archived."
