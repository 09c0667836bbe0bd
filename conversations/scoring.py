"""The score of a conversation: its turns against what was ordered, and against what the workspace has already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from conversations import quality, similarity
from conversations.choices import Status
from conversations.models import Conversation
from conversations.similarity import Nearest


class Spoken(Protocol):
    """Anything that says something: a row, a turn of a reply, one that was typed in."""

    @property
    def role(self) -> Any: ...
    @property
    def content(self) -> str: ...


@dataclass(frozen=True)
class Scored:
    """A report, and the signature under which near duplicates will find the conversation."""

    report: quality.Report
    signature: tuple[int, ...]
    turn_count: int

    @property
    def columns(self) -> dict[str, Any]:
        """What is stored of it in the conversation's row."""
        return {
            "quality_score": self.report.score,
            "quality_metrics": self.report.as_json(),
            "turn_count": self.turn_count,
        }


def score(conversation: Conversation, turns: Iterable[Spoken]) -> Scored:
    """Score turns as those of the conversation, whether they are stored already or not.

    The conversation should have its template and chunk loaded. It is compared with all others of its workspace, and
    never with its own former turns.
    """
    said = said_in(turns)
    signature = signature_of(said)
    nearest = similarity.nearest(conversation.workspace_id, signature, excluding=conversation.pk)
    return score_beside(nearest, conversation, said, signature)


def score_beside(
    nearest: Nearest, conversation: Conversation, said: tuple[quality.Turn, ...], signature: tuple[int, ...]
) -> Scored:
    """The same where the nearest other conversation is known."""
    return Scored(quality.assess(_sample(conversation, said, nearest)), signature, len(said))


def said_in(turns: Iterable[Spoken]) -> tuple[quality.Turn, ...]:
    return tuple(quality.Turn(str(turn.role), turn.content) for turn in turns)


def signature_of(turns: Sequence[quality.Turn]) -> tuple[int, ...]:
    """The signature of what is said, in one text."""
    return quality.signature("\n".join(turn.content for turn in turns))


def _sample(conversation: Conversation, turns: tuple[quality.Turn, ...], nearest: Nearest) -> quality.Sample:
    template = conversation.template
    return quality.Sample(
        turns=turns,
        tier=conversation.tier,
        persona=conversation.persona,
        emotion=conversation.emotion,
        topic=conversation.topic,
        source_text=conversation.chunk.text if conversation.chunk else "",
        required_elements=tuple(template.required_elements) if template else (),
        nearest_similarity=nearest.similarity,
        nearest_id=nearest.readable_id,
    )


def remember(conversation: Conversation, scored: Scored) -> None:
    """Store the fingerprint of what was scored, in place of that of former turns."""
    similarity.remember(conversation.workspace_id, conversation.pk, scored.signature)


def status_after(status: str, report: quality.Report) -> str:
    """The status once the score has changed: weak ones wait for a reviewer. What somebody has decided stays."""
    return Status.PENDING_REVIEW if status == Status.GENERATED and report.needs_review else Status(status)
