"""What a batch will do, and its creation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from batches import control
from batches.choices import ENDED, OPEN, Delivery, ErrorHandling, JobStatus, Priority, Selection
from batches.models import BatchItem, BatchJob
from conversations import coverage
from conversations.choices import Status, Tier
from conversations.models import Conversation, PromptTemplate, Workspace
from generation.configuration import Overrides, configuration_of
from generation.retries import RetryStrategy

# What each selection takes; the gaps themselves have become drafts by then.
STATUSES = {
    Selection.GAPS: (Status.DRAFT, Status.FAILED),
    Selection.DRAFTS: (Status.DRAFT,),
    Selection.FAILED: (Status.FAILED,),
}


class PlanError(Exception):
    """The batch cannot be created as asked; the message says what to do."""


@dataclass(frozen=True)
class Order:
    """What to generate, and how."""

    workspace: Workspace
    tier: str = "all"
    selection: str = Selection.GAPS
    chosen: Sequence[str] = ()  # readable ids or UUIDs, for Selection.CHOSEN
    concurrency: int = 3
    error_handling: str = ErrorHandling.CONTINUE
    priority: str = Priority.NORMAL
    delivery: str = Delivery.LIVE
    overrides: Overrides = field(default_factory=Overrides)  # of how Claude is asked
    max_attempts: int = 0  # 0: the default of the settings
    retry_strategy: str = ""  # empty: the default of the settings
    request_timeout: int | None = None  # seconds; none: the default of the settings
    shared_parameters: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    created_by: Any = None


@transaction.atomic
def create(order: Order, *, inline: bool = False) -> BatchJob | None:
    """Create the batch and let workers begin it; None when there is nothing to generate.

    Gaps of the plan become drafts first, in the same transaction. An `inline` job is begun at once and left to the
    caller to run. Raises `PlanError`.
    """
    _check(order)
    if order.selection == Selection.GAPS:
        coverage.fill_gaps(order.workspace, order.tier, created_by=order.created_by)
    conversations = list(_in_turns(_selected(order)))
    if not conversations:
        return None
    job = _job(order, size=len(conversations))
    _check_job(job)
    _check_configuration(order, conversations)
    job.save()
    _add_items(job, conversations)
    if inline:
        control.start(job.pk)
    else:
        transaction.on_commit(control.dispatch)
    job.refresh_from_db()
    return job


def _check(order: Order) -> None:
    if not 1 <= order.concurrency <= settings.MAX_BATCH_CONCURRENCY:
        raise PlanError(
            f"Concurrency must lie between 1 and {settings.MAX_BATCH_CONCURRENCY}, not {order.concurrency}."
        )


def _check_job(job: BatchJob) -> None:
    """Refuse values that no job may have, all at once and by name."""
    try:
        job.clean_fields(exclude=["runner", "created_by", "workspace"])
    except ValidationError as error:
        told = [f"{name}: {' '.join(words)}" for name, words in error.message_dict.items()]
        raise PlanError(f"The batch cannot be created. {' '.join(told)}") from error
    longest = settings.ANTHROPIC_TIMEOUT  # the task queue, and whoever stops a worker, wait no longer than that
    if job.request_timeout and job.request_timeout > longest:
        raise PlanError(f"A request may take {longest:g} seconds (ANTHROPIC_TIMEOUT), not {job.request_timeout}.")


def _check_configuration(order: Order, conversations: Iterable[UUID]) -> None:
    """Refuse what Claude would refuse, before anything is spent."""
    used = Conversation.objects.filter(pk__in=conversations).values("template")
    templates = PromptTemplate.objects.filter(pk__in=used)
    problems = [
        problem
        for template in templates
        for problem in configuration_of([order.overrides, template, order.workspace]).problems().values()
    ]
    if problems:
        raise PlanError(" ".join(dict.fromkeys(problems)))


def _selected(order: Order) -> QuerySet[Conversation]:
    """The conversations to generate, without those that another batch is at."""
    mine = Conversation.objects.filter(workspace=order.workspace)
    if order.selection == Selection.CHOSEN:
        return _chosen(order, mine)
    mine = mine.in_tier(order.tier)
    # Once written, a new version replaces the one before it: that is done where it was asked for by name alone.
    return mine.filter(status__in=STATUSES[Selection(order.selection)], version=1).exclude(_busy())


def _in_turns(conversations: QuerySet[Conversation]) -> QuerySet[Conversation, UUID]:
    """Keys in the order of work: one of each template, then the second of each …

    The first request of a template writes its stable part to Claude's prompt cache, and the next ones read it, if they
    come after its reply has begun: side by side, all of them would pay for writing. And a batch that is ended early has
    some of everything.
    """
    turn = Window(RowNumber(), partition_by=F("template"), order_by=F("conversation_id").asc())
    return conversations.annotate(turn=turn).order_by("turn", "tier", "conversation_id").values_list("pk", flat=True)


def _chosen(order: Order, mine: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """The conversations named, all of which must be there and free."""
    chosen = mine.filter(_named(order.chosen))
    known = {name for pk, readable in chosen.values_list("pk", "conversation_id") for name in (pk, readable)}
    if missing := [name for name in order.chosen if _key(name) not in known]:
        raise PlanError(f"There is no conversation {', '.join(missing)} in {order.workspace.name}.")
    done = chosen.exclude(status__in=(Status.DRAFT, Status.FAILED)) | chosen.filter(_busy())
    if named := list(done.values_list("conversation_id", "status")[:5]):
        listed = ", ".join(f"{readable} ({status})" for readable, status in named)
        raise PlanError(f"Only drafts and failed conversations that no batch works on can be generated: {listed}.")
    return chosen


def _named(names: Sequence[str]) -> Q:
    keys = [_key(name) for name in names]
    return Q(conversation_id__in=[key for key in keys if isinstance(key, str)]) | Q(
        pk__in=[key for key in keys if isinstance(key, UUID)]
    )


def _key(name: str) -> UUID | str:
    """What a name names: a UUID however it is written, or a readable id."""
    try:
        return UUID(name)
    except ValueError:
        return name


def _busy() -> Q:
    return Q(pk__in=BatchItem.objects.filter(status__in=OPEN).values("conversation_id"))


def _job(order: Order, *, size: int) -> BatchJob:
    tiers = "all tiers" if order.tier == "all" else Tier(order.tier).label.lower()
    what = "1 conversation" if size == 1 else f"{size} conversations"
    return BatchJob(
        workspace=order.workspace,
        name=order.name or f"{what}, {tiers}, {timezone.localtime():%Y-%m-%d %H:%M}",
        tier=order.tier,
        selection=order.selection,
        concurrent_processing=order.concurrency,
        error_handling=order.error_handling,
        priority=order.priority,
        delivery=order.delivery,
        **asdict(order.overrides),
        max_attempts=order.max_attempts or settings.GENERATION_ATTEMPTS,
        retry_strategy=order.retry_strategy or RetryStrategy(settings.GENERATION_RETRY_STRATEGY),
        request_timeout=order.request_timeout,
        shared_parameters=dict(order.shared_parameters),
        created_by=order.created_by,
    )


def _add_items(job: BatchJob, conversations: Sequence[UUID]) -> None:
    items = [
        BatchItem(workspace_id=job.workspace_id, job=job, conversation_id=conversation, position=position)
        for position, conversation in enumerate(conversations, start=1)
    ]
    try:
        BatchItem.objects.bulk_create(items, batch_size=1000)
    except IntegrityError as error:
        raise PlanError("Another batch has just taken some of these conversations. Look again, then retry.") from error


def take_up(job: BatchJob, *, inline: bool) -> BatchJob:
    """Go on with an unfinished batch, whatever it waits for; `inline` leaves the running to the caller."""
    if job.status == JobStatus.PAUSED:
        control.resume(job.pk)
    elif job.status == JobStatus.QUEUED and inline:
        control.start(job.pk)
    job.refresh_from_db()
    return job


def unfinished(workspace: Workspace) -> QuerySet[BatchJob]:
    """Batches that have not ended, oldest first."""
    open_jobs = BatchJob.objects.filter(workspace=workspace).exclude(status__in=ENDED)
    return open_jobs.order_by("created_at")
