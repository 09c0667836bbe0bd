"""Score stored conversations anew."""

import json
from argparse import ArgumentParser
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from conversations import quality
from conversations.choices import WITH_TURNS, Status
from conversations.models import Workspace
from conversations.rescoring import Rescored, rescore, to_rescore
from conversations.workspaces import WorkspaceCommand
from convgen.terminal import console_on

SCORED = (*WITH_TURNS, Status.REJECTED, Status.ARCHIVED)


class Command(WorkspaceCommand):
    help = (
        "Scores stored conversations anew, after QUALITY_THRESHOLDS, templates or sources have changed. "
        "Weak ones that were generated go to review. Run twice, it writes nothing the second time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--status",
            action="append",
            choices=[status.value for status in SCORED],
            help=f"Only those with this status; can be repeated. Default: {', '.join(WITH_TURNS)}.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only tell what would change.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")

    def run(self, workspace: Workspace, **options: Any) -> None:
        statuses, dry_run = options["status"] or list(WITH_TURNS), options["dry_run"]
        columns = (BarColumn(bar_width=None), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console_on(self.stderr), transient=True) as progress:
            task = progress.add_task("", total=to_rescore(workspace, statuses).count())
            rescored = rescore(
                workspace, statuses=statuses, dry_run=dry_run, report=lambda done: progress.advance(task, done)
            )
        if options["json"]:
            self.stdout.write(json.dumps({**rescored.as_json(), "dry_run": dry_run}))
        else:
            self.stdout.write(_summary(rescored, dry_run=dry_run))


def _summary(rescored: Rescored, *, dry_run: bool) -> str:
    if not rescored.conversations:
        return "There is no conversation to score."
    looked_at = (
        f"{rescored.conversations:,} {'conversation' if rescored.conversations == 1 else 'conversations'} scored"
    )
    if not rescored.changed:
        return f"{looked_at}: nothing changes." if dry_run else f"{looked_at}: nothing has changed."
    bound = quality.thresholds_in_force().review_below
    would, go = ("would change", "would go") if dry_run else ("changed", "went")
    parts = [
        f"{rescored.changed:,} {would}",
        f"{rescored.fell_below:,} to below {bound:.1f}",
        f"{rescored.rose_above:,} to {bound:.1f} or better",
        f"{rescored.sent_to_review:,} {go} to review",
    ]
    return f"{looked_at}: {', '.join(parts)}." + (" Nothing was written." if dry_run else "")
