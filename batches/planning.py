"""What a batch will do, shown before it is created, and its creation: both by what `propose` says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from batches import control
from batches.changing import concurrency_problem
from batches.choices import ENDED, Delivery, ErrorHandling, JobStatus, Priority, Selection
from batches.estimating import estimate
from batches.grouping import grouped
from batches.models import BatchItem, BatchJob
from batches.plan import Plan
from batches.selecting import NotFree, Taken, candidate_of, in_turns, select
from batches.selecting import PlanError as PlanError
from batches.wording import conversations
from conversations import coverage
from conversations.choices import Tier
from conversations.models import PromptTemplate, Workspace
from generation.configuration import Overrides, configuration_of
from generation.retries import RetryStrategy


class PlanChanged(NotFree):
    """What the batch would take has changed since it was shown. Look at it again, then start it."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


@dataclass(frozen=True)
class Order:
    """What to generate, and how."""

    workspace: Workspace
    tier: str = "all"
    selection: str = Selection.GAPS
    chosen: Sequence[str] = ()  # readable ids or UUIDs, for Selection.CHOSEN
    of_batch: UUID | None = None  # for Selection.FAILED: only what failed in that batch
    concurrency: int = 3
    error_handling: str = ErrorHandling.CONTINUE
    priority: str = Priority.NORMAL
    overrides: Overrides = field(default_factory=Overrides)  # of how Claude is asked
    max_attempts: int = 0  # 0: the default of the settings
    retry_strategy: str = ""  # empty: the default of the settings
    request_timeout: int | None = None  # seconds; none: the default of the settings
    budget_usd: Decimal | None = None  # none: whatever it costs
    delivery: str = Delivery.LIVE
    shared_parameters: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    created_by: Any = None


def propose(order: Order) -> Plan:
    """What `create` would take as things are, and what that will cost; nothing is written.

    Raises `PlanError` for what `create` would refuse.
    """
    _check(order)
    return plan_of(order, select(order))


@transaction.atomic
def create(order: Order, *, inline: bool = False, agreed: str = "") -> BatchJob | None:
    """Create the batch and let workers begin it; None when there is nothing to generate.

    Gaps of the plan become drafts first, in the same transaction. An `inline` job is begun at once and left to the
    caller to run. `agreed` is the fingerprint of the plan that was shown. Raises `PlanError`, and `PlanChanged` when
    the plan is another one by now.
    """
    if order.selection == Selection.GAPS:
        coverage.lock_plan(order.workspace)
    plan = propose(order)
    if agreed and agreed != plan.fingerprint:
        raise PlanChanged
    if not plan.total:
        return None
    job = _job(order, size=plan.total)
    job.estimate = plan.estimate.as_json()
    job.save()
    _add_items(job, _conversations(order, plan.taken))
    if inline:
        control.start(job.pk)
    else:
        transaction.on_commit(control.dispatch)
    job.refresh_from_db()
    return job


def plan_of(order: Order, taken: Taken) -> Plan:
    """The plan for what the order is known to take. Raises `PlanError`."""
    groups = grouped(order.workspace, taken)
    _check_job(_job(order, size=taken.total))
    _check_configuration(order, [group.template for group in groups if group.template])
    return Plan(order, taken, estimate(order, groups))


def _conversations(order: Order, taken: Taken) -> list[UUID]:
    """What the batch takes, gaps made into drafts, in the order of work."""
    drafts = coverage.fill(order.workspace, taken.gaps, created_by=order.created_by)
    return [each.key for each in in_turns([*taken.existing, *map(candidate_of, drafts)])]


def _check(order: Order) -> None:
    if problem := concurrency_problem(order.concurrency):
        raise PlanError(problem)
    if order.budget_usd is not None and order.budget_usd < 0:
        raise PlanError(f"A budget is 0 USD or more, not {order.budget_usd}.")
    if order.of_batch and order.selection != Selection.FAILED:
        raise PlanError("Of a former batch, only what failed can be generated: choose the failed ones.")


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


def _check_configuration(order: Order, templates: Iterable[PromptTemplate]) -> None:
    """Refuse what Claude would refuse, before anything is spent."""
    problems = [
        problem
        for template in templates
        for problem in configuration_of([order.overrides, template, order.workspace]).problems().values()
    ]
    if problems:
        raise PlanError(" ".join(dict.fromkeys(problems)))


def _job(order: Order, *, size: int) -> BatchJob:
    tiers = "all tiers" if order.tier == "all" else Tier(order.tier).label.lower()
    return BatchJob(
        workspace=order.workspace,
        name=order.name or f"{conversations(size)}, {tiers}, {timezone.localtime():%Y-%m-%d %H:%M}",
        tier=order.tier,
        selection=order.selection,
        concurrent_processing=order.concurrency,
        error_handling=order.error_handling,
        priority=order.priority,
        **asdict(order.overrides),
        max_attempts=order.max_attempts or settings.GENERATION_ATTEMPTS,
        retry_strategy=order.retry_strategy or RetryStrategy(settings.GENERATION_RETRY_STRATEGY),
        request_timeout=order.request_timeout,
        budget_usd=order.budget_usd,
        delivery=order.delivery,
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
        raise NotFree("Another batch has just taken some of these conversations. Look again, then retry.") from error


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
