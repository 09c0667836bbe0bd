"""Near duplicates of a text among the live conversations of a workspace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from conversations.choices import NOT_LIVE
from conversations.models import Fingerprint
from conversations.quality import bands

# Candidates share a band; the share of equal numbers in two signatures estimates their similarity
# (conversations/quality/fingerprint.py). Counted in the database, where the signatures are.
#
# The bands come from a sub-select, because PostgreSQL then assumes that one row in a hundred shares one. Of bands that
# it sees, which are as good as unique, it assumes one in five, and reads the whole table in place of the index.
NEAREST = """
SELECT conversation.conversation_id, (
    SELECT count(*) FROM unnest(fingerprint.signature, %(signature)s::integer[]) AS pair (other, ours)
    WHERE other = ours
)::float / %(length)s AS similarity
FROM conversations_fingerprint AS fingerprint
JOIN conversations_conversation AS conversation ON conversation.id = fingerprint.conversation_id
WHERE fingerprint.workspace_id = %(workspace)s AND fingerprint.bands && (SELECT %(bands)s::bigint[])
  AND conversation.id <> %(excluding)s AND conversation.id IS DISTINCT FROM (
    SELECT parent_id FROM conversations_conversation WHERE id = %(excluding)s
  )
  AND NOT conversation.status = ANY(%(not_live)s)
ORDER BY similarity DESC, conversation.conversation_id LIMIT 1
"""

# The same for many conversations, each by the fingerprint that is stored of it.
NEAREST_OF_EACH = """
SELECT own.conversation_id, near.conversation_id, near.similarity
FROM conversations_fingerprint AS own
CROSS JOIN LATERAL (
    SELECT conversation.conversation_id, (
        SELECT count(*) FROM unnest(fingerprint.signature, own.signature) AS pair (other, ours) WHERE other = ours
    )::float / greatest(cardinality(own.signature), 1) AS similarity
    FROM conversations_fingerprint AS fingerprint
    JOIN conversations_conversation AS conversation ON conversation.id = fingerprint.conversation_id
    WHERE fingerprint.workspace_id = own.workspace_id AND fingerprint.bands && own.bands
      AND conversation.id <> own.conversation_id AND NOT conversation.status = ANY(%(not_live)s)
    ORDER BY similarity DESC, conversation.conversation_id LIMIT 1
) AS near
WHERE own.workspace_id = %(workspace)s AND own.conversation_id = ANY(%(conversations)s)
"""


@dataclass(frozen=True)
class Nearest:
    similarity: float  # estimated Jaccard similarity, 0–1
    readable_id: str


NONE_NEAR = Nearest(0.0, "")


def nearest(workspace_id: UUID, signed: tuple[int, ...], *, excluding: UUID) -> Nearest:
    """The most similar other live conversation; similarity 0 when none comes near.

    A version may resemble the one that it replaces.
    """
    values: dict[str, Any] = {
        "signature": list(signed),
        "length": len(signed) or 1,
        "workspace": workspace_id,
        "bands": list(bands(signed)),
        "excluding": excluding,
        "not_live": [status.value for status in NOT_LIVE],
    }
    with connection.cursor() as cursor:
        cursor.execute(NEAREST, values)
        row = cursor.fetchone()
    return Nearest(row[1], row[0]) if row else NONE_NEAR


def nearest_of_each(workspace_id: UUID, conversations: list[UUID]) -> dict[UUID, Nearest]:
    """The same for conversations with a fingerprint, all in one statement; those that none comes near are left out."""
    values: dict[str, Any] = {
        "workspace": workspace_id,
        "conversations": conversations,
        "not_live": [status.value for status in NOT_LIVE],
    }
    with connection.cursor() as cursor:
        cursor.execute(NEAREST_OF_EACH, values)
        return {conversation: Nearest(similarity, readable) for conversation, readable, similarity in cursor.fetchall()}


def remember(workspace_id: UUID, conversation_id: UUID, signed: tuple[int, ...]) -> None:
    """Store the conversation's fingerprint, in place of an earlier one."""
    remember_all(workspace_id, {conversation_id: signed})


def remember_all(workspace_id: UUID, signed: Mapping[UUID, tuple[int, ...]]) -> None:
    """The same for many conversations, by their ids."""
    rows = [
        Fingerprint(
            workspace_id=workspace_id,
            conversation_id=conversation_id,
            signature=list(signature),
            bands=list(bands(signature)),
        )
        for conversation_id, signature in signed.items()
    ]
    Fingerprint.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["conversation"], update_fields=["signature", "bands"]
    )
