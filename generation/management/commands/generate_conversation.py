"""Generate one conversation."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from conversations.choices import DimensionKind
from conversations.models import Conversation, Workspace
from conversations.ordering import OrderError, draft_of, place_in_plan, template_named
from conversations.workspaces import WorkspaceCommand
from generation.command_line import (
    add_configuration,
    add_parameters,
    facts_of,
    overrides_from,
    parameters_from,
    sentence_of,
)
from generation.endpoint import endpoint
from generation.errors import GenerationError
from generation.preview import Preview, prepared, preview
from generation.service import generate
from generation.simulated.launcher import SimulatedClaudeError

WORDS = tuple(kind.value for kind in DimensionKind)


class Command(WorkspaceCommand):
    help = (
        "Generates one conversation: a draft or failed one by its id, or a new one from a template. "
        "With --dry-run it shows the prompt, its tokens and the probable cost, creates nothing and spends nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", nargs="?", default="", help="Its readable id, such as TPL-0001.")
        parser.add_argument("--template", default="", metavar="NAME", help="Make a new one from this template.")
        for kind in WORDS:
            parser.add_argument(f"--{kind}", default="", metavar="NAME", help=f"The new one's {kind}.")
        add_parameters(parser)
        parser.add_argument("--dry-run", action="store_true", help="Only show what would be sent, and its cost.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")
        add_configuration(parser)

    def run(self, workspace: Workspace, **options: Any) -> None:
        _check(options)
        try:
            draft = _draft(workspace, options)
            if options["dry_run"]:
                self._show(draft, options)
            else:
                self._generate(draft, options)
        except (GenerationError, SimulatedClaudeError, OrderError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _show(self, draft: Conversation, options: dict[str, Any]) -> None:
        shown = preview(draft, parameters=parameters_from(options["param"]), overrides=overrides_from(options))
        self.stdout.write(json.dumps(shown.as_json(), ensure_ascii=False) if options["json"] else _in_words(shown))

    def _generate(self, draft: Conversation, options: dict[str, Any]) -> None:
        parameters, overrides = parameters_from(options["param"]), overrides_from(options)
        if draft._state.adding:
            prepared(draft, overrides=overrides)  # what cannot be asked for is not made,
            endpoint()  # nor what nobody would answer
            place_in_plan(draft)
        try:
            made = generate(draft.pk, parameters=parameters, overrides=overrides)
        except GenerationError as error:
            if options["id"]:
                raise
            draft.refresh_from_db(fields=["status"])
            again = f"manage.py generate_conversation {draft.conversation_id}"
            raise CommandError(f"{error} {draft} is kept ({draft.status}); try it again with: {again}") from error
        self.stdout.write(json.dumps(facts_of(made), ensure_ascii=False) if options["json"] else sentence_of(made))


def _check(options: dict[str, Any]) -> None:
    """Refuse what contradicts itself, before anything is looked up."""
    if bool(options["id"]) == bool(options["template"]):
        raise CommandError("Name either a conversation, such as TPL-0001, or a template with --template.")
    given = [kind for kind in WORDS if options[kind]]
    if options["id"] and given:
        raise CommandError(f"A draft has its {given[0]} already. --{given[0]} goes with --template.")


def _draft(workspace: Workspace, options: dict[str, Any]) -> Conversation:
    """The draft that is named, or a new one that is not saved yet."""
    if options["template"]:
        words = {kind: options[kind] for kind in WORDS}
        template = template_named(workspace, options["template"])
        return draft_of(template, words, parameters=parameters_from(options["param"]))
    drafts = Conversation.objects.select_related("workspace", "template", "document", "chunk__document")
    found = drafts.filter(workspace=workspace).named(options["id"]).first()
    if found is None:
        raise CommandError(f"There is no conversation {options['id']}.")
    return found


def _in_words(shown: Preview) -> str:
    forecast, output = shown.forecast, shown.forecast.output
    source = f"{output.replies} earlier replies" if output.replies else "the usual lengths of its tier"
    assumed = " at an assumed price" if forecast.price_assumed else ""
    return "\n".join(
        [
            f"--- System prompt\n{shown.system}",
            f"\n--- Prompt\n{shown.prompt}",
            f"\n--- {shown.configuration.in_words()}",
            f"{forecast.input_tokens:,} tokens in, about {output.likely:,} out "
            f"({output.low:,} to {output.high:,}, from {source})",
            f"About ${forecast.cost_usd:.4f}{assumed} (${forecast.lowest_usd:.4f} to ${forecast.highest_usd:.4f})",
            "Nothing was created, and nothing was spent.",
        ]
    )
