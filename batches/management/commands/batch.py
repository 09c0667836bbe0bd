"""Look at batches and control them."""

import json
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from batches import changing, control, planning
from batches.choices import Priority
from batches.models import BatchJob
from batches.printing import next_step, print_summary, retry_command, run_and_report
from batches.printing_plan import NARROW
from batches.summary import summarize
from batches.wording import as_written, estimate_in_words
from convgen.tenancy import EVERY, workspace_scope
from convgen.terminal import console_on
from generation.command_line import usd

ACTIONS = ("status", "pause", "resume", "cancel", "retry-failed", "change")
NO_BUDGET = "none"
LISTED = 20
ID_WIDTH = 36  # characters


class Command(BaseCommand):
    help = (
        "Shows a batch (or the latest ones), pauses, resumes or cancels it, queues its failed items again, or changes "
        "its concurrency, priority or budget while it runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("id", nargs="?", help="The batch's id; the list of the latest ones without it.")
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="With status: print one JSON object, for scripts."
        )
        parser.add_argument("--inline", action="store_true", help="With resume: run it in this process and follow it.")
        change = parser.add_argument_group("with change")
        change.add_argument("--concurrency", type=int, metavar="N", help="Calls in flight.")
        change.add_argument("--priority", choices=Priority.values)
        change.add_argument("--budget", type=_budget, metavar="USD|none", help="What it may cost.")

    def handle(self, *, action: str, id: str | None, inline: bool, as_json: bool, **options: Any) -> None:
        changes = _changes(options)
        if changes and action != "change":
            raise CommandError("--concurrency, --priority and --budget go with: manage.py batch change ID")
        console = console_on(self.stdout)
        if as_json and (action != "status" or id is None):
            raise CommandError("--json goes with the status of one batch: manage.py batch status ID --json")
        if id is None and action == "status":
            console.print(_list())
            return
        job = _find(id)
        with workspace_scope(job.workspace_id):
            if action == "change":
                self.stdout.write(_change(job, changes))
            else:
                self._handle(job, action, console, inline=inline, as_json=as_json)

    def _handle(self, job: BatchJob, action: str, console: Console, *, inline: bool, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(summarize(job).as_json(), ensure_ascii=False))
        elif action == "status":
            console.print(_line(job), highlight=False, markup=False, soft_wrap=True)
            if job.estimate and not job.completed_items:
                console.print(estimate_in_words(job.estimate, job.delivery), highlight=False, soft_wrap=True)
            print_summary(summarize(job), console)
        elif action == "resume" and inline:
            self._resume_here(job, console)
        else:
            self.stdout.write(_act(action, job))

    def _resume_here(self, job: BatchJob, console: Console) -> None:
        summary = run_and_report(planning.take_up(job, inline=True), inline=True, console=console)
        if not summary.every_item_succeeded:
            raise CommandError(next_step(summary))


def _line(job: BatchJob) -> str:
    worker = f"A worker is at it: {job.runner.rpartition(':')[0]}. " if job.has_runner else ""
    return f"{job.pk}: {job.status}. {worker}{job.status_reason}"


def _act(action: str, job: BatchJob) -> str:
    if action == "retry-failed":
        return _retry(job)
    done = {"pause": control.pause, "resume": control.resume, "cancel": control.cancel}[action](job.pk)
    job.refresh_from_db()
    if not done:
        raise CommandError(f"The batch is {job.status}: {action} is not possible.")
    return f"The batch is {job.status}."


def _budget(text: str) -> Decimal | str:
    return text if text == NO_BUDGET else usd(text)


def _changes(options: dict[str, Any]) -> dict[str, Any]:
    """The values to be changed, by the batch's fields."""
    budget = options["budget"]
    asked = {"concurrent_processing": options["concurrency"], "priority": options["priority"], "budget_usd": budget}
    given = {name: value for name, value in asked.items() if value is not None}
    return {**given, "budget_usd": None} if budget == NO_BUDGET else given


def _change(job: BatchJob, changes: dict[str, Any]) -> str:
    if not changes:
        raise CommandError("Say what to change: --concurrency N, --priority high, --budget USD.")
    try:
        changed = changing.change(job.pk, changes)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    job.refresh_from_db()
    if not changed:
        raise CommandError(f"The batch is {job.status}: nothing was changed.")
    budget = "no budget" if job.budget_usd is None else f"a budget of {as_written(job.budget_usd)}"
    return f"The batch has {job.concurrent_processing} calls in flight at most, {job.priority} priority and {budget}."


def _retry(job: BatchJob) -> str:
    if job.ended:
        raise CommandError(f"The batch has ended. Try again with: {retry_command(job)}")
    number = control.retry_failed(job.pk)
    if not number:
        raise CommandError("The batch has no failed conversations that could be retried.")
    return f"{number} failed {'conversation is' if number == 1 else 'conversations are'} queued again."


@workspace_scope(EVERY)
def _find(id: str | None) -> BatchJob:
    try:
        return BatchJob.objects.get(pk=UUID(id or ""))
    except (ValueError, BatchJob.DoesNotExist):
        raise CommandError(
            f"There is no batch {id or '(no id was given)'}. List them: manage.py batch status"
        ) from None


@workspace_scope(EVERY)
def _list() -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=NARROW)
    table.add_column("Id", min_width=ID_WIDTH)  # it is there to be copied
    for heading in ("Status", "Done", "Failed", "Cost"):
        table.add_column(heading)
    for job in BatchJob.objects.all()[:LISTED]:
        done = f"{job.completed_items}/{job.total_items}"
        table.add_row(str(job.pk), job.status, done, str(job.failed_items), f"${job.actual_cost_usd:.4f}")
    return table
