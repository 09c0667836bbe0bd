"""Which conversations an order takes: those that are there, and the gaps that would become drafts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from batches.choices import OPEN, ItemStatus, Selection
from batches.models import BatchItem, BatchJob
from conversations import coverage
from conversations.choices import Status
from conversations.models import Conversation
from conversations.models.conversation_queries import as_given_out

if TYPE_CHECKING:
    from batches.planning import Order

# What each selection takes of those that are there.
STATUSES = {
    Selection.GAPS: (Status.DRAFT, Status.FAILED),
    Selection.DRAFTS: (Status.DRAFT,),
    Selection.FAILED: (Status.FAILED,),
}
NAMED = 5  # of many, those that a sentence names


class PlanError(Exception):
    """The batch cannot be created as asked; the message says what to do."""


class NotFree(PlanError):
    """Some of what was asked for is done already, or another batch is at it."""


@dataclass(frozen=True)
class Candidate:
    """A conversation that may be generated."""

    key: UUID
    readable_id: str
    template_id: UUID | None
    tier: str
    status: str


@dataclass(frozen=True)
class Taken:
    """What a batch takes, and what it would take if no other batch were at it."""

    existing: Sequence[Candidate]
    gaps: Sequence[coverage.Gap]
    elsewhere: Sequence[Candidate]

    @property
    def total(self) -> int:
        return len(self.existing) + len(self.gaps)


def select(order: "Order") -> Taken:
    """What the order takes as things are. Raises `PlanError` for names that cannot be followed."""
    if order.selection == Selection.CHOSEN:
        return Taken(_chosen(order), (), ())
    free, elsewhere = _divided(_wanted(order))
    return Taken(free, _gaps(order) if order.selection == Selection.GAPS else (), elsewhere)


def _gaps(order: "Order") -> Sequence[coverage.Gap]:
    try:
        return coverage.gaps(order.workspace, order.tier)
    except coverage.PlanTooLarge as error:
        raise PlanError(str(error)) from error


def in_turns(candidates: Iterable[Candidate]) -> list[Candidate]:
    """In the order of work: one of each template, then the second of each …

    The first request of a template writes its stable part to Claude's prompt cache, and the next ones read it, if they
    come after its reply has begun: side by side, all of them would pay for writing. And a batch that is ended early has
    some of everything.
    """
    so_far: Counter[UUID | None] = Counter()
    turns = {}
    for candidate in sorted(candidates, key=lambda each: each.readable_id):
        so_far[candidate.template_id] += 1
        turns[candidate] = so_far[candidate.template_id]
    return sorted(turns, key=lambda each: (turns[each], each.tier, each.readable_id))


def candidate_of(conversation: Conversation) -> Candidate:
    return Candidate(
        conversation.pk,
        conversation.conversation_id,
        conversation.template_id,
        conversation.tier,
        conversation.status,
    )


def _wanted(order: "Order") -> QuerySet[Conversation]:
    wanted = Conversation.objects.filter(workspace=order.workspace).in_tier(order.tier)
    wanted = wanted.filter(status__in=STATUSES[Selection(order.selection)])
    if order.of_batch:
        return wanted.filter(pk__in=_failed_in(order, order.of_batch))
    # Once written, a new version replaces the one before it: that is done where it was asked for by name alone.
    return wanted.filter(version=1)


def _failed_in(order: "Order", batch: UUID) -> QuerySet[BatchItem, UUID]:
    """The conversations that failed in the former batch which the order names."""
    job = BatchJob.objects.filter(workspace=order.workspace, pk=batch).first()
    if job is None:
        raise PlanError(f"There is no batch {batch} in {order.workspace.name}. See: manage.py batch status")
    return job.items.filter(status=ItemStatus.FAILED).values_list("conversation_id", flat=True)


def _divided(conversations: QuerySet[Conversation]) -> tuple[list[Candidate], list[Candidate]]:
    """Those that are free, and those that another batch is at."""
    at_work = BatchItem.objects.filter(conversation=OuterRef("pk"), status__in=OPEN)
    columns = ("pk", "conversation_id", "template_id", "tier", "status", "busy")
    free: list[Candidate] = []
    busy: list[Candidate] = []
    for *values, is_busy in conversations.annotate(busy=Exists(at_work)).order_by().values_list(*columns):
        (busy if is_busy else free).append(Candidate(*values))
    return free, busy


def _chosen(order: "Order") -> list[Candidate]:
    """The conversations named, all of which must be there and free."""
    free, busy = _divided(Conversation.objects.filter(_named(order.chosen), workspace=order.workspace))
    known = {name for each in (*free, *busy) for name in (each.key, each.readable_id)}
    if missing := [name for name in order.chosen if _key(name) not in known]:
        raise PlanError(f"There is no conversation {', '.join(missing[:NAMED])} in {order.workspace.name}.")
    done = [each for each in free if each.status not in (Status.DRAFT, Status.FAILED)]
    if refused := [*done, *busy][:NAMED]:
        listed = ", ".join(f"{each.readable_id} ({each.status})" for each in refused)
        raise NotFree(f"Only drafts and failed conversations that no batch works on can be generated: {listed}.")
    return free


def _named(names: Sequence[str]) -> Q:
    keys = [_key(name) for name in names]
    return Q(conversation_id__in=[key for key in keys if isinstance(key, str)]) | Q(
        pk__in=[key for key in keys if isinstance(key, UUID)]
    )


def _key(name: str) -> UUID | str:
    """What a name names: a UUID or a readable id, however it is written."""
    try:
        return UUID(name)
    except ValueError:
        return as_given_out(name)
