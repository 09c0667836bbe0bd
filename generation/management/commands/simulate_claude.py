"""Serve simulated Claude on a loopback port."""

import math
from argparse import ArgumentParser, RawTextHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from convgen.processes import registered
from generation.simulated import launcher
from generation.simulated.faults import FAULTS, parse_fault
from generation.simulated.running import listen
from generation.simulated.server import Behaviour, SimulatedClaude

HIGHEST_PORT = 65_535
LIMITS = ("requests_per_minute", "input_tokens_per_minute", "output_tokens_per_minute")
TAKEN_OVER = ("latency", "jitter", "weak", "fault_rate", "api_key", "batch_seconds", *LIMITS)


class Command(BaseCommand):
    help = (
        "Serves simulated Claude, which speaks the Messages API, on a loopback port. Commands and workers of this "
        "checkout find it by themselves whenever ANTHROPIC_API_KEY is not set."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawTextHelpFormatter  # the faults are a table
        parser.add_argument("--port", type=int, default=0, help="0 takes a free one.")
        parser.add_argument(
            "--latency", type=float, default=settings.SIMULATED_CLAUDE_LATENCY, help="Seconds, on average."
        )
        parser.add_argument("--jitter", type=float, default=0.3, help="Share by which the latency varies.")
        parser.add_argument(
            "--weak", type=float, default=settings.SIMULATED_CLAUDE_WEAK, help="Share of weak conversations."
        )
        parser.add_argument("--fault-rate", type=float, default=0.0, help="Share of requests that fail.")
        parser.add_argument("--faults", default=",".join(Behaviour.faults), help=_help_on_faults())
        for name in LIMITS:
            limit = name.replace("_", "-")
            parser.add_argument(
                f"--{limit}", type=int, default=0, help="A limit that is enforced, for each model; 0: none."
            )
        parser.add_argument(
            "--batch-seconds", type=float, default=Behaviour.batch_seconds, help="How long a message batch takes."
        )
        parser.add_argument("--api-key", default="", help="The only key accepted. Empty: any key.")
        parser.add_argument(
            "--idle-exit", type=float, default=0.0, help="End after so many seconds without a request; 0: never."
        )

    def handle(self, **options: Any) -> None:
        claude = SimulatedClaude(_behaviour(options), identity=str(settings.VAR_DIR))
        if not 0 <= options["port"] <= HIGHEST_PORT:
            raise CommandError(f"--port must lie between 0 and {HIGHEST_PORT}; 0 takes a free one.")
        try:
            listening = listen(claude, port=options["port"])
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be used: {error.strerror}. Choose another.") from error
        launcher.announce(listening.url)
        self.stdout.write(f"Simulated Claude listens on {listening.url}")
        with registered("simulate_claude"):
            listening.serve(idle_exit=options["idle_exit"])


def _behaviour(options: dict[str, Any]) -> Behaviour:
    faults = tuple(name.strip() for name in options["faults"].split(",") if name.strip())
    for fault in faults:
        try:
            parse_fault(fault)
        except ValueError as error:
            raise CommandError(f"--faults: {error}") from error
    for share in ("jitter", "weak", "fault_rate"):
        if not 0 <= options[share] <= 1:
            raise CommandError(f"{_flag(share)} must lie between 0 and 1.")
    for duration in ("latency", "idle_exit", "batch_seconds"):
        if not 0 <= options[duration] < math.inf:
            raise CommandError(f"{_flag(duration)} must be a number of seconds, 0 or more.")
    for limit in LIMITS:
        if options[limit] < 0:
            raise CommandError(f"{_flag(limit)} must be 0, for no limit, or more.")
    if options["fault_rate"] and not faults:
        raise CommandError(f"--fault-rate needs --faults: name some of {', '.join(FAULTS)}.")
    return Behaviour(faults=faults, **{name: options[name] for name in TAKEN_OVER})


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _help_on_faults() -> str:
    lines = (f"  {name:<24} {meaning}".replace("%", "%%") for name, meaning in FAULTS.items())
    return "\n".join(["Which failures, divided by commas; some take seconds behind a colon, such as 429:7.", *lines])
