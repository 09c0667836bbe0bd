"""Near duplicates of a text among the live conversations of a workspace."""

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


@dataclass(frozen=True)
class Nearest:
    similarity: float  # estimated Jaccard similarity, 0–1
    readable_id: str


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
    return Nearest(row[1], row[0]) if row else Nearest(0.0, "")


def remember(workspace_id: UUID, conversation_id: UUID, signed: tuple[int, ...]) -> None:
    """Store the conversation's fingerprint, in place of an earlier one."""
    row = Fingerprint(
        workspace_id=workspace_id,
        conversation_id=conversation_id,
        signature=list(signed),
        bands=list(bands(signed)),
    )
    Fingerprint.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["conversation"], update_fields=["signature", "bands"]
    )
