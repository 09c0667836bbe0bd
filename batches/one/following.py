"""The time from the order to the conversation: it waits, Claude writes it, it is there, or it failed."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from batches.choices import JobStatus
from batches.conversation_progress import Progress, progress_of
from batches.models import BatchItem
from batches.wording import duration
from conversations.choices import Status
from conversations.models import Conversation
from convgen.models import User
from generation.errors import GenerationError, by_code
from generation.runs import latest_run

POLL_SECONDS = 2
ALONE = "It is next: a worker takes it up in a moment."
UNTENDED = 10  # seconds after which it is said that no worker has come
FRESH = (Status.GENERATED, Status.PENDING_REVIEW)  # nobody has decided on it yet


@dataclass(frozen=True)
class Making:
    """How far one conversation is."""

    conversation: Conversation
    progress: Progress

    @property
    def moves(self) -> bool:
        return self.progress.moves

    @property
    def phase(self) -> str:
        """waiting, writing, written, failed, draft, or settled."""
        status = self.conversation.status
        if self.moves:
            return "writing" if status == Status.GENERATING else "waiting"
        if status in FRESH:
            return "written"
        return str(status) if status in (Status.FAILED, Status.DRAFT) else "settled"

    @property
    def has_its_page(self) -> bool:
        """Whether its own page says all that there is to say: of a new version, of what others have decided on."""
        return self.phase == "settled" or (self.phase == "written" and self.conversation.version > 1)

    @property
    def told(self) -> dict[str, Any]:
        told = self.progress.told()
        left = told.seconds_remaining
        return {
            "percentage": told.percentage,
            "step": ALONE if self._goes_next else told.step,
            "left": f"about {duration(left)} left" if left else "",
            "untended": self._untended(),
            "batch": self.progress.item.job if self.progress.item else None,
        }

    @property
    def _goes_next(self) -> bool:
        """In a batch of one, which has begun: it waits for nothing but a worker."""
        job = self.progress.item.job if self.progress.item else None
        begun = job is not None and job.total_items == 1 and job.status == JobStatus.PROCESSING
        return begun and self.phase == "waiting" and not self.progress.item.message_batch_id  # type: ignore[union-attr]

    def _untended(self) -> str:
        """For how long no worker has come to it, where that is long enough to be said."""
        item: BatchItem | None = self.progress.item
        if self.phase != "waiting" or item is None or item.message_batch_id or item.job.has_runner:
            return ""
        waited = (timezone.now() - item.job.created_at).total_seconds()
        tended = item.job.status not in (JobStatus.QUEUED, JobStatus.PROCESSING)
        return "" if tended or waited < UNTENDED else duration(waited)

    @property
    def error(self) -> type[GenerationError]:
        return by_code(self.conversation.failure_type)

    @property
    def run(self) -> Any:
        return latest_run(self.conversation)


def making_of(conversation: Conversation) -> Making:
    return Making(conversation, progress_of(conversation))


def may_discard(conversation: Conversation, user: User) -> bool:
    """Whoever has just had it written may put it away; once others have to do with it, that is for reviewers."""
    if conversation.status not in FRESH:
        return False
    if user.has_perm("conversations.review_conversation"):
        return True
    mine = conversation.created_by_id == user.pk and user.has_perm("batches.add_batchjob")
    return mine and not conversation.review_history and not conversation.edits.exists()
