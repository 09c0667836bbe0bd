"""Regenerations for workers: the next version of a conversation, or of many, and a batch that writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from batches import planning, single
from batches.choices import OPEN, Selection
from batches.models import BatchItem, BatchJob
from batches.plan import Plan
from batches.planning import Order, PlanError
from batches.selecting import Taken, candidate_of
from batches.wording import conversations as counted
from conversations import versions
from conversations.models import Conversation, Workspace
from convgen.models import User

MOST = 200  # conversations whose next versions are prepared at one time: some ten seconds


@transaction.atomic
def order(conversation: Conversation, changes: Mapping[str, Any], *, by: User) -> Conversation:
    """Prepare the next version, and let workers write it before what waits already; the version.

    `changes` are those of `versions.prepare`. Raises its `CannotRegenerate`, and `PlanError` when a batch is at the
    version already; then nothing is changed.
    """
    version = versions.prepare(conversation, changes, by=by)
    single.order(version, name=f"Regenerate {conversation}", by=by)
    return version


@dataclass(frozen=True)
class Foreseen:
    """What regenerating many comes to, before anything is begun."""

    plan: Plan | None  # none where there is nothing to regenerate
    taken: Sequence[Conversation]
    refused: Mapping[str, str]  # readable ids, and why each cannot be regenerated


def foresee(workspace: Workspace, conversations: QuerySet[Conversation], *, by: User) -> Foreseen:
    """Which of the conversations can be regenerated, and what that will probably cost. Raises `PlanError`."""
    rows = list(conversations.order_by("conversation_id")[: MOST + 1])
    if len(rows) > MOST:
        raise PlanError(f"At most {MOST} conversations are regenerated at one time. Choose fewer.")
    refused = _refused(rows)
    taken = [row for row in rows if row.conversation_id not in refused]
    plan = planning.plan_of(_order(workspace, taken, by), _as_taken(taken)) if taken else None
    return Foreseen(plan, taken, refused)


@transaction.atomic
def order_many(workspace: Workspace, conversations: Sequence[Conversation], *, by: User) -> BatchJob:
    """Prepare the next version of each, made as the present one was, and a batch that writes them.

    Raises `CannotRegenerate` and `PlanError`; then nothing is changed.
    """
    prepared = [versions.prepare(conversation, by=by) for conversation in conversations]
    job = planning.create(_order(workspace, prepared, by))
    if job is None:
        raise PlanError("There is nothing to regenerate.")
    return job


def _refused(conversations: Sequence[Conversation]) -> dict[str, str]:
    chains = versions.chains(conversations)
    under_way = {chain.under_way.pk for chain in chains.values() if chain.under_way}
    items = BatchItem.objects.filter(conversation__in=under_way, status__in=OPEN)
    queued = set(items.values_list("conversation_id", flat=True))
    refused = {}
    for conversation in conversations:
        chain = chains[conversation.pk]
        if reason := versions.objection(conversation, chain):
            refused[conversation.conversation_id] = reason
        elif chain.under_way and chain.under_way.pk in queued:
            refused[conversation.conversation_id] = f"{chain.under_way} is to replace it, and waits in a batch already."
    return refused


def _order(workspace: Workspace, conversations: Sequence[Conversation], by: User) -> Order:
    return Order(
        workspace=workspace,
        selection=Selection.CHOSEN,
        chosen=[str(one.pk) for one in conversations],
        name=f"Regenerate {counted(len(conversations))}",
        created_by=by,
    )


def _as_taken(conversations: Sequence[Conversation]) -> Taken:
    return Taken([candidate_of(one) for one in conversations], (), ())
