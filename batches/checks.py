"""System checks of the time that a batch may take, and of how many may run."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from convgen.checks import Bounds, out_of_bounds

BOUNDS = (
    Bounds("MAX_RUNNING_BATCHES", 1),
    Bounds("MAX_BATCH_CONCURRENCY", 1, unit="calls in flight"),
    Bounds("BATCH_SLICE_SECONDS", 0, low_excluded=True, unit="seconds"),
    # A heartbeat comes three times per lease: under load, a shorter one would end while its holder works.
    Bounds("BATCH_LEASE_SECONDS", 5, unit="seconds"),
    Bounds("BATCH_ITEM_CLAIMS", 1),
    Bounds("WORKER_HEALTH_PORT", 0, 65_535, unit="a port; 0 for none"),
    Bounds("BATCH_COST_WARNING_USD", 0, unit="USD; 0: never"),
    Bounds("ECONOMY_CHUNK_REQUESTS", 1, 100_000, unit="requests; Claude takes no more in one message batch"),
    # A look costs a request: more often than once a second would only annoy.
    Bounds("ECONOMY_POLL_SECONDS", 0.1, 86_400, unit="seconds"),
)


@register()
def check_times(**_options: Any) -> list[CheckMessage]:
    """A slice and one request must fit into a task, and a task must end before it is delivered again."""
    timeout, retry = settings.Q_CLUSTER["timeout"], settings.Q_CLUSTER["retry"]
    longest = settings.BATCH_SLICE_SECONDS + settings.ANTHROPIC_TIMEOUT
    found: list[CheckMessage] = []
    if longest >= timeout:
        found.append(
            Error(
                f"BATCH_SLICE_SECONDS and ANTHROPIC_TIMEOUT come to {longest:g} seconds: "
                f"the task queue would kill a slice that waits for Claude after {timeout:g}.",
                hint=f"Set BATCH_SLICE_SECONDS or ANTHROPIC_TIMEOUT lower: together below {timeout:g} seconds.",
                id="batches.E001",
            )
        )
    if timeout >= retry:
        found.append(
            Error(
                f"The task queue would run a task again after {retry:g} seconds, though it may take {timeout:g}.",
                hint='Set "retry" of Q_CLUSTER in convgen/settings.py above its "timeout".',
                id="batches.E001",
            )
        )
    return found


@register()
def check_bounds(**_options: Any) -> list[CheckMessage]:
    return out_of_bounds(BOUNDS, id="batches.E002")


@register()
def check_workers(**_options: Any) -> list[CheckMessage]:
    workers = settings.Q_CLUSTER["workers"]
    if workers > settings.MAX_RUNNING_BATCHES:
        return []
    return [
        Warning(
            f"WORKER_PROCESSES is {workers} and MAX_RUNNING_BATCHES {settings.MAX_RUNNING_BATCHES}: "
            "batches can take every worker, and scheduled tasks would wait for them.",
            hint=f"Set WORKER_PROCESSES to {settings.MAX_RUNNING_BATCHES + 1} or more, or MAX_RUNNING_BATCHES lower.",
            id="batches.W001",
        )
    ]
