"""Finds a message batch again whose creation was never confirmed: its sender was killed, or the answer was lost.

Anthropic has no names for message batches, and shows what is in one only in its results. So those are looked through
that were created at the right time with the right number of requests, and that no row of ours knows.
"""

from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from batches.models import AT_CLAUDE, MessageBatch
from convgen.database.threads import DatabaseThreads
from convgen.tenancy import EVERY, workspace_scope
from generation.answers import RemoteBatch
from generation.claude import Claude

SLACK = timedelta(seconds=60)  # for a sender that was slow to begin
CLOCKS = timedelta(minutes=15)  # that ours and Anthropic's may differ: whoever looks too narrowly pays twice


@dataclass(frozen=True)
class Search:
    """What was found. Nothing, and `undecided`: it may be one that still runs, or may still be on its way."""

    found: RemoteBatch | None
    undecided: bool


async def search(message_batch: MessageBatch, claude: Claude, database: DatabaseThreads) -> Search:
    """Look for it at Anthropic. Raises a `GenerationError`, `ResultsGone` when one that may be it cannot be read."""
    latest = message_batch.created_at + timedelta(seconds=settings.ANTHROPIC_TIMEOUT) + SLACK
    listed = await claude.message_batches_since(message_batch.created_at - CLOCKS)
    fitting = [one for one in listed if one.requests == message_batch.requests and one.created_at <= latest + CLOCKS]
    known = await database(_known, [one.id for one in fitting])
    candidates = [one for one in fitting if one.id not in known]
    names = await database(_names, message_batch)
    for candidate in candidates:
        if candidate.ended and await _holds(claude, candidate, names):
            return Search(candidate, undecided=False)
    running = any(not candidate.ended for candidate in candidates)
    return Search(None, undecided=running or timezone.now() <= latest)


async def _holds(claude: Claude, candidate: RemoteBatch, names: Collection[str]) -> bool:
    """Whether the first of its results is one of ours: then all are."""
    async with aclosing(claude.results(candidate.id)) as results:
        async for result in results:
            return result.custom_id in names
    return False


def _known(remote_ids: Collection[str]) -> set[str]:
    with workspace_scope(EVERY):
        return set(MessageBatch.objects.filter(remote_id__in=remote_ids).values_list("remote_id", flat=True))


def _names(message_batch: MessageBatch) -> set[str]:
    calls = message_batch.items.filter(AT_CLAUDE).values_list("call_id", flat=True)
    return {call.hex for call in calls if call}
