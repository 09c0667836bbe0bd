"""A plan on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from batches.choices import Delivery
from batches.plan import Plan, PlanRow
from batches.wording import SIMULATED, cost_in_words, dollars, known_in_words, time_in_words

NARROW = (0, 1, 0, 0)  # padding of tables that have many columns: 80 characters are few


def print_plan(plan: Plan, console: Console) -> None:
    """The table per tier and template, the estimate in both deliveries, and what to think of first."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    if plan.total:
        console.print(_table(plan))
        estimate = plan.estimate.as_json()
        for delivery in Delivery:
            foreseen = estimate[delivery]
            chosen = " (as ordered)" if delivery == plan.order.delivery else ""
            say(f"{delivery.capitalize()}{chosen}: {cost_in_words(foreseen)}, {time_in_words(foreseen, delivery)}.")
        say(f"Tokens and time are {known_in_words(estimate)}.")
        if estimate["simulated"]:
            say(SIMULATED)
    else:
        say("There is nothing to generate.")
    if plan.elsewhere:
        say(plan.elsewhere)
    for warning in plan.warnings:
        say(f"Warning: {warning}")
    say("Nothing was created, and nothing was spent.")


def _table(plan: Plan) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=NARROW)
    table.add_column("Tier, template")
    for heading in ("Gaps", "Drafts", "Failed", "Total", "Live", "Economy"):
        table.add_column(heading, justify="right", no_wrap=True)
    for tier in plan.tiers:
        table.add_row(*_cells(tier), style="bold")
        for template in plan.templates:
            if template.tier == tier.tier:
                table.add_row(*_cells(template, indent="  "))
    return table


def _cells(row: PlanRow, indent: str = "") -> list[str]:
    numbers = [str(number) if number else "–" for number in (row.gaps, row.drafts, row.failed)]
    costs = [dollars(row.usd[delivery].likely) for delivery in Delivery]
    return [indent + row.label, *numbers, str(row.total), *costs]
