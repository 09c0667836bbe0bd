"""Fill a workspace with realistic volume, to measure on."""

import logging
import time
from argparse import ArgumentParser
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from conversations.benchmark.seeding import AlreadySeeded, NotABenchmark, seed


class Command(BaseCommand):
    help = (
        "Fills a workspace of its own with made-up conversations, to measure lists and searches on. "
        "A million take five to ten minutes and 10 GB of disk."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--conversations", type=int, required=True, metavar="N", help="How many.")
        parser.add_argument("--workspace", default="benchmark", help="Its slug; it is made if there is none.")
        parser.add_argument(
            "--turns", type=int, nargs=2, default=(4, 12), metavar=("FEWEST", "MOST"), help="Of each conversation."
        )
        parser.add_argument("--append", action="store_true", help="Add to a workspace that has conversations.")

    def handle(self, **options: Any) -> None:
        count, (fewest, most) = options["conversations"], options["turns"]
        if count < 1:
            raise CommandError(f"--conversations must be 1 or more, not {count}.")
        if not 1 <= fewest <= most:
            raise CommandError(f"--turns must be 1 or more, the fewest first, not {fewest} {most}.")
        logging.getLogger("convgen.database.slow_queries").setLevel(logging.ERROR)  # its statements are slow by intent
        begun = time.monotonic()
        try:
            with self._progress() as progress:
                task = progress.add_task("", total=count)
                seed(
                    options["workspace"],
                    count,
                    turns=(fewest, most),
                    append=options["append"],
                    report=lambda loaded: progress.advance(task, loaded),
                )
        except AlreadySeeded as error:
            raise CommandError(f"{error} Add to them with --append, or name another one with --workspace.") from error
        except NotABenchmark as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - begun
        self.stdout.write(f"{count} conversations in workspace “{options['workspace']}” in {seconds:.0f} s.")

    def _progress(self) -> Progress:
        console = Console(file=cast(TextIO, self.stderr._out))
        return Progress(
            BarColumn(bar_width=None), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), console=console
        )
