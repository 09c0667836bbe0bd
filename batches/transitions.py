"""Which status of a batch job, and of an item, may follow which.

job     queued ──→ processing ⇄ paused, and from each of them to the end: completed | failed | cancelled
item    queued ──→ processing ──→ completed | failed | cancelled
        processing ──→ queued, when it is given back;  queued ──→ cancelled, when the job ends first
        failed ──→ queued, when it is tried once more
message submitting ──→ in progress ──→ (canceling) ──→ ended ──→ read
batch   submitting ──→ ended, when it is found again;  ──→ not created, when Anthropic never had it
        lost, when its results are gone before they were read
"""

from batches.choices import ENDED, ItemStatus, JobStatus, MessageBatchStatus
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

MESSAGE_BATCH = StateMachine(
    name="message batch",
    start=MessageBatchStatus.SUBMITTING,
    may_become={
        MessageBatchStatus.SUBMITTING: (
            MessageBatchStatus.IN_PROGRESS,
            MessageBatchStatus.ENDED,
            MessageBatchStatus.NOT_CREATED,
            MessageBatchStatus.LOST,
        ),
        MessageBatchStatus.IN_PROGRESS: (
            MessageBatchStatus.CANCELING,
            MessageBatchStatus.ENDED,
            MessageBatchStatus.LOST,
        ),
        MessageBatchStatus.CANCELING: (MessageBatchStatus.ENDED, MessageBatchStatus.LOST),
        MessageBatchStatus.ENDED: (MessageBatchStatus.READ, MessageBatchStatus.LOST),
        MessageBatchStatus.READ: (),
        MessageBatchStatus.NOT_CREATED: (),
        MessageBatchStatus.LOST: (),
    },
)
