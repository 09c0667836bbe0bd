"""Cancelling batches that were chosen in their list: first a page that says which end, which do not, and why."""

from collections import Counter
from collections.abc import Sequence

from batches.models import BatchJob
from batches.wording import conversations
from conversations.admin.confirming import Confirmation

CONSEQUENCE = (
    "What is written stays, and what Claude is writing at this moment still comes and is paid for. "
    "The rest is not generated: a new batch can take it up. A cancelled batch cannot go on."
)


def cancelling(jobs: Sequence[BatchJob]) -> Confirmation:
    """What cancelling these does. Those that have ended are left alone."""
    names = _told_apart(jobs)
    going = [job for job in jobs if not job.ended]
    one = len(going) == 1
    return Confirmation(
        action="cancel_selected",
        title=f"Cancel {names[going[0]]}?" if one else f"Cancel {len(going):,} batches?",
        consequence=CONSEQUENCE,
        button="Cancel batch" if one else f"Cancel {len(going):,} batches",
        back="Let it go on" if one else "Let them go on",
        nothing="None of these can be cancelled",
        taken=[names[job] for job in going],
        refused={
            names[job]: f"{job.get_status_display()} already, so there is nothing to cancel."
            for job in jobs
            if job.ended
        },
        facts=[("Not written yet", conversations(sum(job.total_items - job.completed_items for job in going)))],
        danger=True,
    )


def _told_apart(jobs: Sequence[BatchJob]) -> dict[BatchJob, str]:
    """What each is called here: its name, with the beginning of its id where another has the same one."""
    often = Counter(job.name for job in jobs)
    return {job: f"“{job.name}”" if often[job.name] == 1 else f"“{job.name}” ({str(job.pk)[:8]})" for job in jobs}
