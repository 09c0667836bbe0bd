"""What a batch is at, in words."""

from batches.choices import JobStatus
from batches.models import BatchJob

NO_WORKER = "Waiting for a worker"


def step(job: BatchJob) -> str:
    """In one sentence, from the job's row alone."""
    if job.status == JobStatus.QUEUED:
        return "Waiting for its turn: as many batches run as may run at one time."
    if job.status != JobStatus.PROCESSING:
        return f"{job.get_status_display()}. {job.status_reason}".strip()
    if job.status_reason:
        return job.status_reason
    if not job.has_runner:
        return f"{NO_WORKER}."
    return f"Generating conversation {min(job.completed_items + 1, job.total_items)} of {job.total_items}."
