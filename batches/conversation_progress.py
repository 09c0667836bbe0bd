"""How far one conversation is: what happens to it now, what comes before it, and when it will probably be done.

What moves with time is told as of a moment that comes every `STEP` seconds, so that whoever asks twice within one gets
the same answer, and whoever is told that nothing has changed has figures that are no older.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import ceil
from uuid import UUID

from django.utils import timezone

from batches.choices import OPEN, JobStatus
from batches.expecting import SECONDS
from batches.models import BatchItem
from batches.single import open_item
from batches.wording import conversations
from conversations.choices import Status
from conversations.models import Conversation
from generation.configuration import configuration_of
from generation.history import Asked, History
from generation.models import RateWaiter

STEP = 5  # seconds
MOST = 95  # per cent, while Claude has not answered
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """What is told: `percentage` from 0 to 100, `step` in words; `items_before` it in its batch; when it is done."""

    percentage: int
    step: str
    batch: UUID | None = None
    items_before: int | None = None
    seconds_remaining: int | None = None
    estimated_completion: datetime | None = None


@dataclass(frozen=True)
class Progress:
    """How far a conversation is at a moment."""

    conversation: Conversation
    now: datetime

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever `told` may. Only what waits, or may wait, looks further than the conversation's own row."""
        row = self.conversation
        parts: list[object] = [row.pk, row.updated_at.isoformat(), row.status]
        if row.status == Status.GENERATING:
            parts += [row.claim, self.moment]
        elif self.item:
            job = self.item.job
            parts += [self.item.pk, self.item.status, job.status, job.status_reason, job.completed_items, self.moment]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    @cached_property
    def moment(self) -> datetime:
        """As of when it is told: a whole number of steps since it was begun, or since 1970."""
        since = self.conversation.updated_at if self.conversation.status == Status.GENERATING else _EPOCH
        steps = max(0.0, (self.now - since).total_seconds()) // STEP
        return since + timedelta(seconds=steps * STEP)

    @cached_property
    def item(self) -> BatchItem | None:
        """Its place in an open batch. One that is written waits for none."""
        unwritten = self.conversation.status in (Status.DRAFT, Status.FAILED, Status.GENERATING)
        return open_item(self.conversation) if unwritten else None

    @property
    def moves(self) -> bool:
        """Whether something is about to come of it."""
        return self.conversation.status == Status.GENERATING or self.item is not None

    def told(self) -> Told:
        if self.conversation.status == Status.GENERATING:
            return self._generating()
        if self.item:
            return self._waiting(self.item)
        return _at_rest(self.conversation)

    def _generating(self) -> Told:
        batch = self.item.job_id if self.item else None
        if self.item and self.item.message_batch_id:
            return Told(0, "It is at Claude, with economy delivery: that may take a day.", batch)
        elapsed, usual = (self.moment - self.conversation.updated_at).total_seconds(), self._usual_seconds
        percentage = min(MOST, int(100 * elapsed / usual))
        if waits := self._wait_for_claude():
            return Told(percentage, waits, batch)
        if elapsed >= usual:
            return Told(percentage, "Claude writes it. It takes longer than usual.", batch)
        return self._until(usual - elapsed, Told(percentage, "Claude writes it.", batch))

    def _waiting(self, item: BatchItem) -> Told:
        before = item.job.items.filter(status__in=OPEN, position__lt=item.position).count()
        told = Told(0, _why_it_waits(item, before), item.job_id, before)
        if item.job.status != JobStatus.PROCESSING or item.message_batch_id:
            return told
        pace = item.job.seconds_per_item or self._usual_seconds / item.job.concurrent_processing
        return self._until(pace * before + self._usual_seconds, told)

    def _until(self, seconds: float, told: Told) -> Told:
        done = self.moment + timedelta(seconds=seconds)
        return Told(told.percentage, told.step, told.batch, told.items_before, ceil(seconds), done)

    @cached_property
    def _usual_seconds(self) -> float:
        """What a request of its template takes, else one of its tier, as the log tells; else a constant."""
        row = self.conversation
        job = self.item.job if self.item else None
        asked = Asked.by(configuration_of([job, row.template, row.workspace]))
        history = History(row.workspace_id, [row.template_id] if row.template_id else [])
        for known in (history.of_template(row.template_id, asked), history.of_tier(row.tier, asked)):
            if known.seconds:
                return max(known.seconds.value, 0.1)
        return SECONDS.likely

    def _wait_for_claude(self) -> str:
        """That it waits for the rate limit, where it does by itself: a batch waits for all of its conversations."""
        row = self.conversation
        waiter = RateWaiter.objects.filter(of_workspace=row.workspace_id, who=row.conversation_id).first()
        if waiter is None:
            return ""
        seconds = max(0.0, (waiter.until - self.moment).total_seconds())
        return f"It waits ({waiter.get_reason_display().lower()}): next request in {ceil(seconds)} s."


def progress_of(conversation: Conversation) -> Progress:
    return Progress(conversation, timezone.now())


def _why_it_waits(item: BatchItem, before: int) -> str:
    match item.job.status:
        case JobStatus.PAUSED:
            return f"Its batch is paused. {item.job.status_reason}".strip()
        case JobStatus.QUEUED:
            return "Its batch waits for others to end."
        case JobStatus.PROCESSING:
            return f"It waits in its batch, behind {conversations(before)}." if before else "It is next in its batch."
    return "Its batch ends, and gives it back."


def _at_rest(conversation: Conversation) -> Told:
    match conversation.status:
        case Status.DRAFT:
            return Told(0, "It is a draft, and waits for nobody: generate it.")
        case Status.FAILED:
            return Told(0, "It failed.")
        case Status.ARCHIVED:
            return Told(100 if conversation.turn_count else 0, "It is archived.")
    return Told(100, "It is written.")
