"""Readable ids: TPL-0001, SCN-0001, EDG-0001, counted per workspace and tier."""

from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from conversations.choices import Tier

PREFIXES = {Tier.TEMPLATE: "TPL", Tier.SCENARIO: "SCN", Tier.EDGE_CASE: "EDG"}

TAKE = """
INSERT INTO conversations_conversationnumber AS number (id, workspace_id, tier, last) VALUES (%s, %s, %s, %s)
ON CONFLICT (workspace_id, tier) DO UPDATE SET last = number.last + EXCLUDED.last
RETURNING last
"""


def next_ids(workspace_id: UUID, tier: str, count: int) -> list[str]:
    """The next `count` readable ids of a tier; never given out twice, whoever else asks at the moment."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [uuid7(), workspace_id, tier, count])
        last: int = cursor.fetchone()[0]
    return [f"{PREFIXES[Tier(tier)]}-{number:04d}" for number in range(last - count + 1, last + 1)]
