"""A workspace with something of everything, for whoever looks at pages: tests, measurements and screenshots.

It is made by the product's own services with simulated Claude; what takes a failure or a wait is put
there.
"""

from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from batches import engine
from batches.choices import JobStatus
from batches.models import BatchJob
from batches.planning import Order, create
from conversations.choices import Status
from conversations.coverage import fill_gaps
from conversations.exporting import export_conversations
from conversations.models import Conversation, Membership, Workspace
from conversations.review import Decision, decide
from convgen import tokens
from convgen.models import User
from convgen.tenancy import workspace_scope
from generation.regeneration import regenerate
from tests.background import apart
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    GenerationLogFactory,
    MessageBatchFactory,
    UserFactory,
)
from tests.statuses import put

GENERATED = 8  # conversations that simulated Claude writes
DRAFTS = 8  # that stay drafts: one of them fails, and batches hold six
LEFT = "The reply was not complete: it ended within a turn."


@dataclass(frozen=True)
class Showcase:
    """What pages are about that need a row: of conversations the latest version, of batches one in each state."""

    workspace: Workspace
    written: Conversation  # approved, and the second version of it
    waiting: Conversation  # for review
    failed: Conversation
    draft: Conversation
    done: BatchJob
    running: BatchJob
    paused: BatchJob
    broken: BatchJob


def furnish(workspace: Workspace, *, by: User) -> Showcase:
    """Fill a workspace that has templates and nothing else."""
    return apart(_furnish, workspace, by)


def _furnish(workspace: Workspace, by: User) -> Showcase:
    with workspace_scope(workspace.pk):
        done = _generated(workspace, by)
        written, waiting, failed, draft = _reviewed(workspace, by)
        running, paused, broken = _batches(workspace, failed)
        _records(workspace, failed, by)
    return Showcase(workspace, written, waiting, failed, draft, done, running, paused, broken)


def _generated(workspace: Workspace, by: User) -> BatchJob:
    """A batch that has come to its end, and drafts of all tiers beside it."""
    drafts = fill_gaps(workspace, created_by=by)
    kept = [draft.pk for draft in _of_each_tier(drafts)]
    Conversation.objects.filter(workspace=workspace).exclude(pk__in=kept).delete()
    chosen = [str(pk) for pk in kept[:GENERATED]]
    order = Order(workspace=workspace, selection="chosen", chosen=chosen, name="The first eight", created_by=by)
    job = create(order, inline=True)
    assert job is not None
    while job.status == JobStatus.PROCESSING:
        engine.run_slice(job.pk, on_unfinished=lambda _job_id: None)
        job.refresh_from_db()
    return job


def _of_each_tier(drafts: list[Conversation]) -> list[Conversation]:
    tiers = [[draft for draft in drafts if draft.tier == tier] for tier in ("template", "scenario", "edge_case")]
    turns = cycle(iter(tier) for tier in tiers)
    return [next(tier) for tier in islice(turns, GENERATED + DRAFTS)]


def _reviewed(workspace: Workspace, by: User) -> tuple[Conversation, Conversation, Conversation, Conversation]:
    def decided(conversation: Conversation, decision: Decision, note: str = "") -> None:
        decide(Conversation.objects.filter(pk=conversation.pk), decision=decision, by=by, note=note)

    made = list(Conversation.objects.filter(workspace=workspace, turn_count__gt=0).order_by("conversation_id"))
    decided(made[1], Decision.APPROVE)
    decided(made[2], Decision.REQUEST_CHANGES, "The adviser promises a return that nobody can promise.")
    decided(made[3], Decision.REJECT, "It is about shares, not about an emergency fund.")
    decided(made[4], Decision.REJECT)
    decided(made[4], Decision.ARCHIVE)
    written = regenerate(made[0].pk, by=by)
    decided(written, Decision.APPROVE, "Warm, and it says what to do first.")
    written.refresh_from_db()
    draft, failed = Conversation.objects.filter(workspace=workspace, status=Status.DRAFT).order_by("conversation_id")[
        :2
    ]
    put(failed, Status.FAILED)
    failed.refresh_from_db()
    return written, made[5], failed, draft


def _drafts(workspace: Workspace) -> list[Conversation]:
    return list(Conversation.objects.filter(workspace=workspace, status=Status.DRAFT).order_by("conversation_id"))


def _batches(workspace: Workspace, failed: Conversation) -> tuple[BatchJob, BatchJob, BatchJob]:
    spare = (
        Conversation.objects.filter(workspace=workspace, status=Status.DRAFT).order_by("-conversation_id").iterator()
    )

    def batch(*statuses: str, **job: Any) -> BatchJob:
        made: BatchJob = BatchJobFactory(workspace=workspace, started_at=timezone.now(), **job)
        for status in statuses:
            BatchItemFactory(job=made, status=status, conversation=next(spare))
        made.refresh_from_db()
        return made

    running = batch("processing", "queued", "queued", status="processing", name="Scenarios, again")
    reason = "The account’s spend limit is reached: raise it with Anthropic, then resume."
    paused = batch("queued", "queued", status="paused", status_reason=reason, name="Edge cases")
    broken = batch(status="completed", name="One that failed", completed_at=timezone.now())
    error = {"error_type": "reply_refused", "error_message": LEFT}
    BatchItemFactory(job=broken, conversation=failed, status="failed", attempts=3, **error)
    economy = batch("queued", status="processing", delivery="economy", name="Overnight")
    MessageBatchFactory(job=economy, status="in_progress", remote_id="msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d", requests=40)
    broken.refresh_from_db()
    return running, paused, broken


def _records(workspace: Workspace, failed: Conversation, by: User) -> None:
    error: dict[str, Any] = {"status": "failed", "error_type": "reply_refused", "error_message": LEFT}
    GenerationLogFactory(conversation=failed, response=None, **error)
    path = Path(settings.VAR_DIR) / "exports" / workspace.slug / "approved.jsonl"
    export_conversations(workspace, path=path, include_simulated=True, created_by=by)
    Membership.objects.get_or_create(workspace=workspace, user=UserFactory(is_staff=True), defaults={"role": "curator"})
    tokens.create(by)
    _tasks()


def _tasks() -> None:
    """Of the task queue's own pages: one that is scheduled, one that waits, one each that went well and badly."""
    Schedule.objects.get_or_create(name="maintain_logs", defaults={"func": "generation.tasks.maintain_logs"})
    OrmQ.objects.create(key="convgen", payload="", lock=timezone.now())
    now = timezone.now()
    for name, success in (("lemon-batch", True), ("quiet-batch", False)):
        task = {"func": "batches.tasks.run_batch", "started": now, "stopped": now, "success": success}
        Task.objects.create(id=f"{name:x<32}", name=name, **task)
