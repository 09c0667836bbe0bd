"""Which status of a batch job, and of an item, may follow which.

job     queued ──→ processing ⇄ paused, and from each of them to the end: completed | failed | cancelled
item    queued ──→ processing ──→ completed | failed | cancelled
        processing ──→ queued, when it is given back;  queued ──→ cancelled, when the job ends first
        failed ──→ queued, when it is tried once more
"""

from batches.choices import ENDED, ItemStatus, JobStatus
from convgen.states import StateMachine

JOB = StateMachine(
    name="batch",
    start=JobStatus.QUEUED,
    may_become={
        JobStatus.QUEUED: (JobStatus.PROCESSING, JobStatus.FAILED, JobStatus.CANCELLED),
        JobStatus.PROCESSING: (JobStatus.PAUSED, *ENDED),
        JobStatus.PAUSED: (JobStatus.PROCESSING, *ENDED),  # completed: its last calls in flight were all there was
        JobStatus.COMPLETED: (),
        JobStatus.FAILED: (),
        JobStatus.CANCELLED: (),
    },
)

ITEM = StateMachine(
    name="batch item",
    start=ItemStatus.QUEUED,
    may_become={
        ItemStatus.QUEUED: (ItemStatus.PROCESSING, ItemStatus.CANCELLED),
        ItemStatus.PROCESSING: (ItemStatus.QUEUED, ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED),
        ItemStatus.FAILED: (ItemStatus.QUEUED,),
        ItemStatus.COMPLETED: (),
        ItemStatus.CANCELLED: (),
    },
)
