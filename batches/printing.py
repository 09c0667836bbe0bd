"""A batch on the terminal: its progress, its summary, and what to do next."""

from collections.abc import Iterator

from django.core.management.base import CommandError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from batches.choices import JobStatus
from batches.economy import waiting
from batches.following import follow
from batches.models import BatchJob
from batches.printing_plan import NARROW
from batches.summary import HISTOGRAM, Failures, Summary, TierSummary, summarize
from batches.wording import comparison_in_words, dollars
from conversations.choices import Tier
from generation.pricing import saved_by_cache


def print_summary(summary: Summary, console: Console) -> None:
    """The table per tier, the totals, what failed and why, and what to do next."""
    console.print(_table(summary))
    job = summary.job
    console.print(
        f"{job.successful_items} succeeded, {job.failed_items} failed, of {job.total_items} in "
        f"{summary.duration:.1f} s for ${job.actual_cost_usd:.4f}" + _simulated(summary),
        highlight=False,
        soft_wrap=True,
    )
    for line in _about_cost(summary):
        console.print(line, highlight=False, soft_wrap=True)
    for failures in summary.failures:
        for line in _about_failures(failures):
            console.print(line, highlight=False, markup=False, soft_wrap=True)


def _about_cost(summary: Summary) -> Iterator[str]:
    if summary.cost_each is not None:
        yield f"Each that succeeded cost {dollars(summary.cost_each)}."
    if compared := summary.against_estimate:
        yield comparison_in_words(compared)
    if summary.cache_saving_usd:
        yield f"The prompt cache {saved_by_cache(summary.cache_saving_usd)}."


def _about_failures(failures: Failures) -> Iterator[str]:
    named = ", ".join(readable for _key, readable in failures.examples)
    yield f"{failures.count} failed: {failures.reason}"
    more = ", …" if failures.count > len(failures.examples) else ""
    yield f"  {failures.next_step} Worth another try as they are: {failures.worth_retrying}. ({named}{more})"


def _simulated(summary: Summary) -> str:
    if not summary.simulated:
        return ""
    if summary.simulated == summary.job.successful_items:
        return " (simulated: nothing was paid)"
    return f" ({summary.simulated} of them simulated)"


def _table(summary: Summary) -> Table:
    table = Table(title=summary.job.name, box=SIMPLE_HEAD, pad_edge=False, padding=NARROW)
    table.add_column("Tier", no_wrap=True)
    for heading in ("Total", "OK", "Failed", "Review", "Cost", "Quality"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(" | ".join(name for name, *_range in HISTOGRAM), justify="right", no_wrap=True)
    for tier in summary.tiers:
        _add_row(table, Tier(tier.tier).label, tier)
    if len(summary.tiers) > 1:
        _add_row(table, "All", summary.all_tiers)
    return table


def _add_row(table: Table, label: str, tier: TierSummary) -> None:
    quality = tier.scores.average
    table.add_row(
        label,
        *map(str, (tier.total, tier.succeeded, tier.failed, tier.pending_review)),
        f"${tier.cost_usd:.2f}",
        "–" if quality is None else str(quality),
        " | ".join(map(str, tier.scores.histogram.values())),
    )


def run_and_report(job: BatchJob, *, inline: bool, console: Console) -> Summary:
    """Follow the batch to its end or a pause (and run it here, if `inline`), and print its summary.

    Raises `CommandError` with the reason when it cannot be run here.
    """
    try:
        follow(job, inline=inline, console=console)
    except Exception as error:
        job.refresh_from_db()
        if job.status != JobStatus.PAUSED:
            raise  # no reason was found that could be told in a line
        raise CommandError(next_step(summarize(job))) from error
    summary = summarize(job)
    print_summary(summary, console)
    return summary


def next_step(summary: Summary) -> str:
    """What to do when a batch did not succeed as a whole; one line."""
    job = summary.job
    if job.status == JobStatus.PAUSED:
        return f"{_sentence(job.status_reason)}{_at_claude(job)}Go on with: manage.py batch resume {job.pk}"
    if job.status == JobStatus.CANCELLED:
        return "The batch was cancelled. What was left is still a draft."
    reason = job.status_reason or (summary.failures[0].reason if summary.failures else "")
    return f"{_sentence(reason)}Try the failed ones again with: {retry_command(job)}"


def retry_command(job: BatchJob) -> str:
    """What generates the failed ones of an ended batch anew, and no others."""
    workspace = "" if job.workspace.is_default else f"--workspace {job.workspace.slug} "
    return f"manage.py generate_batch {workspace}--select failed --of-batch {job.pk}"


def _at_claude(job: BatchJob) -> str:
    words = waiting.in_words(job.pk)
    return f"{words} A worker collects what comes back, or batch resume --inline. " if words else ""


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}. " if text else ""
