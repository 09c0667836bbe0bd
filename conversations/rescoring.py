"""Stored scores made anew, after thresholds, rules, templates or sources have changed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from conversations import quality, scoring, similarity
from conversations.choices import WITH_TURNS
from conversations.models import Conversation, Workspace

CHUNK = 200  # conversations that are in memory, and locked, at a time: some 3,000 turns

# Django's `bulk_update` looks for each row's values among those of all others: it took 53 s for 3,716 rows, this 1 s.
WRITE = """
UPDATE conversations_conversation AS conversation
SET quality_score = scored.quality_score, quality_metrics = scored.quality_metrics, turn_count = scored.turn_count,
    status = scored.status, updated_at = scored.updated_at
FROM jsonb_to_recordset(%s) AS scored (
    id uuid, quality_score numeric, quality_metrics jsonb, turn_count integer, status text, updated_at timestamptz
)
WHERE conversation.id = scored.id
"""


@dataclass
class Rescored:
    """How many conversations were looked at, and what became of them."""

    conversations: int = 0
    changed: int = 0  # in score, components or status
    fell_below: int = 0  # from 6.0 or more, or from no score, to less
    rose_above: int = 0  # from less to 6.0 or more
    sent_to_review: int = 0  # from generated to pending review

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def to_rescore(workspace: Workspace, statuses: Sequence[str] = WITH_TURNS) -> QuerySet[Conversation]:
    return Conversation.objects.filter(workspace=workspace, status__in=statuses, turn_count__gt=0)


def rescore(
    workspace: Workspace,
    *,
    statuses: Sequence[str] = WITH_TURNS,
    dry_run: bool = False,
    chunk_size: int = CHUNK,
    report: Callable[[int], None] = lambda _done: None,
) -> Rescored:
    """Score the workspace's conversations anew; written is what differs, so that a second time writes nothing.

    One that was generated goes to review if its new score asks for it; none comes back from there by itself. Each
    chunk is a transaction of its own: broken off, it is done by half, and can be repeated. A dry run writes nothing,
    and cannot compare conversations that lack a fingerprint. `report` is told how many more are done.
    """
    rescored = Rescored()
    mine = to_rescore(workspace, statuses)
    if not dry_run:
        _each_chunk(mine.filter(fingerprint=None), lambda chunk: _sign(workspace, chunk), size=chunk_size, lock=True)

    def score_chunk(chunk: list[Conversation]) -> None:
        changed = _changed(workspace, chunk, rescored)
        if changed and not dry_run:
            _write(changed)
        report(len(chunk))

    _each_chunk(mine.select_related("template", "chunk"), score_chunk, size=chunk_size, lock=not dry_run)
    return rescored


def _each_chunk(
    conversations: QuerySet[Conversation], act: Callable[[list[Conversation]], None], *, size: int, lock: bool
) -> None:
    """Call `act` with a chunk and its turns at a time, each in its own transaction, in the order of the ids."""
    rows = conversations.order_by("pk").prefetch_related("turns")
    if lock:
        rows = rows.select_for_update(of=("self",))
    last: list[Conversation] = []
    while True:
        with transaction.atomic():
            last = list((rows.filter(pk__gt=last[-1].pk) if last else rows)[:size])
            if not last:
                return
            act(last)


def _sign(workspace: Workspace, chunk: list[Conversation]) -> None:
    similarity.remember_all(workspace.pk, {one.pk: scoring.signature_of(_said(one)) for one in chunk})


def _changed(workspace: Workspace, chunk: list[Conversation], rescored: Rescored) -> list[Conversation]:
    """Those whose score, components or status differ from what is stored, with the new ones set."""
    near = similarity.nearest_of_each(workspace.pk, [conversation.pk for conversation in chunk])
    now = timezone.now()
    changed = []
    for conversation in chunk:
        said = _said(conversation)
        nearest = near.get(conversation.pk, similarity.NONE_NEAR)
        scored = scoring.score_beside(nearest, conversation, said, ())
        rescored.conversations += 1
        if _set(conversation, scored, rescored):
            conversation.updated_at = now
            changed.append(conversation)
    return changed


def _set(conversation: Conversation, scored: scoring.Scored, rescored: Rescored) -> bool:
    status = scoring.status_after(conversation.status, scored.report)
    new: dict[str, Any] = {**scored.columns, "status": status}
    if all(getattr(conversation, column) == value for column, value in new.items()):
        return False
    _count(conversation, scored.report, status, rescored)
    for column, value in new.items():
        setattr(conversation, column, value)
    return True


def _count(conversation: Conversation, report: quality.Report, status: str, rescored: Rescored) -> None:
    bound = quality.thresholds_in_force().review_below
    before = conversation.quality_score
    was_below = before is not None and before < bound
    is_below = report.score < bound
    rescored.changed += 1
    rescored.fell_below += is_below and not was_below
    rescored.rose_above += was_below and not is_below
    rescored.sent_to_review += status != conversation.status


def _write(conversations: list[Conversation]) -> None:
    columns = ("id", "quality_score", "quality_metrics", "turn_count", "status", "updated_at")
    rows = [{column: getattr(conversation, column) for column in columns} for conversation in conversations]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [json.dumps(rows, cls=DjangoJSONEncoder)])


def _said(conversation: Conversation) -> tuple[quality.Turn, ...]:
    return scoring.said_in(conversation.turns.all())
