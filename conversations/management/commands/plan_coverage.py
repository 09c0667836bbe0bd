"""Look at the coverage plan, and fill its gaps."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from conversations.choices import Tier
from conversations.coverage import PlanStanding, PlanTooLarge, Standing, fill_gaps, recount, standing
from conversations.models import Workspace
from conversations.workspaces import WorkspaceCommand
from convgen.terminal import console_on

NAMED = 2  # values, and pairs, that the table names in each line


class Command(WorkspaceCommand):
    help = (
        "Shows how far the plan is: for each template and tier its places, what is missing, and what is used least. "
        "With --fill, creates a draft for every gap."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--tier", default="all", choices=["all", *Tier.values])
        parser.add_argument("--fill", action="store_true", help="Create the drafts that the plan lacks.")
        parser.add_argument(
            "--recount", action="store_true", help="First count anew, after rows were changed with triggers disabled."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")

    def run(self, workspace: Workspace, **options: Any) -> None:
        if options["recount"]:
            recount(workspace)
        created = _fill(workspace, options["tier"]) if options["fill"] else 0
        plan = standing(workspace, options["tier"])
        if options["json"]:
            self.stdout.write(json.dumps({"created": created, **plan.as_json()}))
        else:
            _print(plan, console_on(self.stdout))
            self.stdout.write(_summary(plan, created, filled=options["fill"]))


def _fill(workspace: Workspace, tier: str) -> int:
    try:
        return len(fill_gaps(workspace, tier))
    except PlanTooLarge as error:
        raise CommandError(str(error)) from error


def _print(plan: PlanStanding, console: Console) -> None:
    if not plan.templates:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Template", min_width=22)
    for heading in ("Target", "Live", "Missing"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Used least")
    for tier in plan.tiers:
        for one in [*(each for each in plan.templates if each.tier == tier.tier), tier]:
            table.add_row(_name(one), *map(str, (one.target, one.live, one.missing)), _least(one))
        table.add_section()
    console.print(table, markup=False)


def _name(standing: Standing) -> str:
    return standing.template.name if standing.template else f"{Tier(standing.tier).label}: together"


def _least(standing: Standing) -> str:
    return "; ".join(map(str, [*standing.values[:NAMED], *standing.pairs[:NAMED]]))


def _summary(plan: PlanStanding, created: int, *, filled: bool) -> str:
    if not plan.templates:
        return "The plan is empty: no active template has a target count."
    if created:
        return f"Created {created} drafts. Generate them with: manage.py generate_batch --select drafts"
    if filled or not plan.missing:
        return "The plan is complete."
    return f"{plan.missing} conversations are missing. Create their drafts with: manage.py plan_coverage --fill"
