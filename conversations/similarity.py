"""Near duplicates of a text among the live conversations of a workspace."""

from dataclasses import dataclass
from uuid import UUID

from conversations.choices import NOT_LIVE
from conversations.models import Fingerprint
from conversations.quality import bands, similarity

MOST_CANDIDATES = 50  # texts that share a band; more than a few are already a sign of trouble


@dataclass(frozen=True)
class Nearest:
    similarity: float  # estimated Jaccard similarity, 0–1
    readable_id: str


def nearest(workspace_id: UUID, signed: tuple[int, ...], *, excluding: UUID) -> Nearest:
    """The most similar other live conversation; similarity 0 when none comes near."""
    candidates = (
        Fingerprint.objects.filter(workspace_id=workspace_id, bands__overlap=list(bands(signed)))
        .exclude(conversation_id=excluding)
        .exclude(conversation__status__in=NOT_LIVE)
        .values_list("signature", "conversation__conversation_id")[:MOST_CANDIDATES]
    )
    found = [Nearest(similarity(signed, tuple(other)), readable_id) for other, readable_id in candidates]
    return max(found, key=lambda one: one.similarity, default=Nearest(0.0, ""))


def remember(workspace_id: UUID, conversation_id: UUID, signed: tuple[int, ...]) -> None:
    """Store the conversation's fingerprint, in place of an earlier one."""
    Fingerprint.objects.update_or_create(
        conversation_id=conversation_id,
        defaults={"workspace_id": workspace_id, "signature": list(signed), "bands": list(bands(signed))},
    )
