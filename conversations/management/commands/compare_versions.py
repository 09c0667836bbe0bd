"""Show what differs between two versions of a conversation."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conversations.comparison import Comparison, Segment, TurnPair, compare
from conversations.models import Conversation, Workspace
from conversations.workspaces import WorkspaceCommand
from convgen.terminal import console_on

# As wdiff marks words, so that they are told apart without colours too.
MARKS = {"equal": ("", "", ""), "removed": ("[-", "-]", "red"), "added": ("{+", "+}", "green")}


class Command(WorkspaceCommand):
    help = "Shows what differs between two versions of a conversation, or any two conversations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("before", metavar="ID", help="The readable id of the earlier one, such as TPL-0001.")
        parser.add_argument("after", metavar="ID", help="That of the later one, such as TPL-0001-v2.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")

    def run(self, workspace: Workspace, **options: Any) -> None:
        found = compare(_named(workspace, options["before"]), _named(workspace, options["after"]))
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), ensure_ascii=False))
        else:
            _show(found, console_on(self.stdout))


def _named(workspace: Workspace, readable_id: str) -> Conversation:
    found = Conversation.objects.filter(workspace=workspace).named(readable_id).first()
    if found is None:
        raise CommandError(f"There is no conversation {readable_id}.")
    return found


def _show(found: Comparison, console: Console) -> None:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("", found.before, found.after):
        table.add_column(Text(heading), overflow="fold")
    for difference in found.differences:
        values = ("–" if value is None else str(value) for value in (difference.before, difference.after))
        table.add_row(Text(difference.label), *map(Text, values))
    console.print(table if found.differences else "Made of the same, with the same outcome.")
    for number, pair in enumerate(found.turns, start=1):
        console.print(_turn(number, pair), soft_wrap=True)


def _turn(number: int, pair: TurnPair) -> Text:
    line = Text(f"{number}. {pair.role}: ")
    if pair.change == "equal":
        return line.append("the same", style="dim")
    for segment in pair.segments or _whole(pair):
        opening, closing, style = MARKS[segment.change]
        words = segment.text.rstrip() if segment.change != "equal" else segment.text
        line.append(f"{opening}{words}{closing}{segment.text[len(words) :]}", style=style)
    return line


def _whole(pair: TurnPair) -> list[Segment]:
    """A turn that one of the two alone has."""
    if pair.before is not None:
        return [Segment("removed", pair.before)]
    return [Segment("added", pair.after or "")]
