"""Create a batch, follow it, and sum it up."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError

from batches import planning
from batches.choices import Delivery, ErrorHandling, Priority, Selection, TierFilter
from batches.models import BatchJob
from batches.plan import Plan
from batches.planning import Order, PlanError
from batches.printing import next_step, run_and_report
from batches.printing_plan import print_plan
from batches.wording import conversations, estimate_in_words
from conversations.models import Workspace
from conversations.workspaces import WorkspaceCommand
from convgen.terminal import console_on
from generation.command_line import add_configuration, add_parameters, overrides_from, parameters_from, usd
from generation.retries import RetryStrategy


class Command(WorkspaceCommand):
    help = (
        "Generates many conversations: what the plan still lacks, drafts, failed ones, or those you name. "
        "Ctrl-C pauses. Ends with 0 only if every conversation succeeded."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--tier", default=TierFilter.ALL, choices=TierFilter.values)
        parser.add_argument(
            "--select",
            nargs="+",
            default=[Selection.GAPS.value],
            metavar="gaps|drafts|failed|ID",
            help="gaps: all that the plan still lacks (the default). Or ids of conversations.",
        )
        parser.add_argument(
            "--of-batch", default="", metavar="ID", help="With --select failed: only what failed in that batch."
        )
        parser.add_argument(
            "--concurrency", type=int, default=3, help=f"Calls in flight, 1 to {settings.MAX_BATCH_CONCURRENCY}."
        )
        parser.add_argument("--error-handling", default=ErrorHandling.CONTINUE, choices=ErrorHandling.values)
        parser.add_argument(
            "--delivery",
            default=Delivery.LIVE,
            choices=Delivery.values,
            help="economy: half the price; Claude answers within a day, most often within an hour.",
        )
        parser.add_argument("--priority", default=Priority.NORMAL, choices=Priority.values)
        parser.add_argument("--budget", type=usd, metavar="USD", help="Pause before it would cost more.")
        add_configuration(parser)
        retries = parser.add_argument_group("when a request fails", "Else as the settings say.")
        retries.add_argument("--attempts", type=int, default=0, metavar="N", help="Requests for one conversation.")
        retries.add_argument("--retry-strategy", default="", choices=RetryStrategy.values, help="How waits grow.")
        retries.add_argument("--timeout", type=int, metavar="SECONDS", help="How long one request may take.")
        add_parameters(parser)
        parser.add_argument("--continue", action="store_true", dest="go_on", help="Finish an unfinished batch first.")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--inline", action="store_true", help="Run it in this process, without a worker.")
        how.add_argument("--detach", action="store_true", help="Print the batch's id and leave it to the workers.")
        how.add_argument(
            "--dry-run", action="store_true", help="Only show the plan, with cost and time; create and spend nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")

    def run(self, workspace: Workspace, **options: Any) -> None:
        self.console = console_on(self.stderr if options["json"] else self.stdout)
        try:
            if options["dry_run"]:
                self._show(planning.propose(_order(workspace, options)), options)
                return
            job = self._job(workspace, options)
        except (PlanError, ValueError) as error:
            raise CommandError(str(error)) from error
        if job is None:
            self._nothing(options)
        elif options["detach"]:
            self.stdout.write(json.dumps({"job_id": str(job.pk)}) if options["json"] else str(job.pk))
        else:
            self._follow(job, options)

    def _show(self, plan: Plan, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(plan.as_json(), ensure_ascii=False))
        else:
            print_plan(plan, self.console)

    def _job(self, workspace: Workspace, options: dict[str, Any]) -> BatchJob | None:
        if options["go_on"] and (unfinished := planning.unfinished(workspace).first()):
            self.console.print(f"Going on with {unfinished}.", markup=False)
            return planning.take_up(unfinished, inline=options["inline"])
        return planning.create(_order(workspace, options), inline=options["inline"])

    def _nothing(self, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"job_id": None, "total": 0}))
        elif options["select"] == [Selection.GAPS]:
            self.stdout.write("The plan is complete: there is nothing to generate, and nothing was spent.")
        else:
            self.stdout.write("There is nothing to generate, and nothing was spent.")

    def _follow(self, job: BatchJob, options: dict[str, Any]) -> None:
        if job.estimate:
            line = estimate_in_words(job.estimate, job.delivery)
            self.console.print(f"{conversations(job.total_items)}. {line}", highlight=False, soft_wrap=True)
        summary = run_and_report(job, inline=options["inline"], console=self.console)
        if options["json"]:
            self.stdout.write(json.dumps(summary.as_json()))
        if not summary.every_item_succeeded:
            raise CommandError(next_step(summary))


def _order(workspace: Workspace, options: dict[str, Any]) -> Order:
    select = options["select"]
    named = select[0] if len(select) == 1 and select[0] in Selection.values else Selection.CHOSEN
    return Order(
        workspace=workspace,
        tier=options["tier"],
        selection=named,
        chosen=select if named == Selection.CHOSEN else (),
        of_batch=_batch_named(options["of_batch"]),
        concurrency=options["concurrency"],
        error_handling=options["error_handling"],
        priority=options["priority"],
        delivery=options["delivery"],
        overrides=overrides_from(options),
        max_attempts=options["attempts"],
        retry_strategy=options["retry_strategy"],
        request_timeout=options["timeout"],
        budget_usd=options["budget"],
        shared_parameters=parameters_from(options["param"]),
    )


def _batch_named(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise CommandError(f"--of-batch takes the id of a batch, not {text}. See: manage.py batch status") from None
