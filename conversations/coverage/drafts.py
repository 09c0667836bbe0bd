"""Gaps become drafts, each with a source that tells about its topic."""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from conversations.choices import DimensionKind
from conversations.coverage.gaps import Gap, gaps
from conversations.coverage.usage import conversations_by_chunk
from conversations.models import Chunk, Conversation, Dimension, PromptTemplate, Workspace
from conversations.numbering import next_ids
from convgen.models import User


@transaction.atomic
def fill_gaps(workspace: Workspace, tier: str = "all", *, created_by: User | None = None) -> list[Conversation]:
    """Create a draft for every gap, and return the drafts. Two callers at once do not fill a gap twice."""
    lock_plan(workspace)
    return fill(workspace, gaps(workspace, tier), created_by=created_by)


def fill(workspace: Workspace, found: Sequence[Gap], *, created_by: User | None = None) -> list[Conversation]:
    """Create a draft for each of the gaps, which the caller has found since it called `lock_plan`; the drafts."""
    drafts = unsaved_drafts(workspace, found, created_by=created_by)
    ids = {each: iter(next_ids(workspace.pk, each, number)) for each, number in _per_tier(found).items()}
    for draft in drafts:
        draft.conversation_id = next(ids[draft.tier])
    return Conversation.objects.bulk_create(drafts, batch_size=1000)


def unsaved_drafts(workspace: Workspace, found: Sequence[Gap], *, created_by: User | None = None) -> list[Conversation]:
    """What the gaps would become, each with its source; nothing is saved, and they have no ids yet."""
    if not found:
        return []
    chunks = ChunksByTopic(workspace, {_topic(gap) for gap in found})
    return [_draft(gap, chunks, created_by) for gap in found]


def lock_plan(workspace: Workspace) -> None:
    """Wait for others who give out places of the plan, and keep them waiting until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"coverage:{workspace.pk}"])


def _per_tier(found: Sequence[Gap]) -> Counter[str]:
    return Counter(gap.template.tier for gap in found)


def _topic(gap: Gap) -> str:
    topic = gap.values.get(DimensionKind.TOPIC)
    return topic.name if topic else ""


def _draft(gap: Gap, chunks: "ChunksByTopic", created_by: User | None) -> Conversation:
    draft = new_draft(gap.template, gap.values, chunks.least_used(_topic(gap)), created_by=created_by)
    draft.slot = gap.slot
    return draft


def new_draft(
    template: PromptTemplate, values: Mapping[str, Dimension], chunk: Chunk | None, *, created_by: User | None
) -> Conversation:
    """A draft of a template with values of dimensions, by kind. It is not saved, and has no id and no slot yet."""
    return Conversation(
        workspace_id=template.workspace_id,
        template=template,
        template_version=template.version,
        tier=template.tier,
        category=template.category,
        chunk=chunk,
        document=chunk.document if chunk else None,
        created_by=created_by,
        **{kind: dimension.name for kind, dimension in values.items()},
    )


class ChunksByTopic:
    """Shares the sources of the topics out evenly among their conversations."""

    def __init__(self, workspace: Workspace, topics: set[str]) -> None:
        self._by_topic: dict[str, list[Chunk]] = {}
        about = Chunk.objects.filter(workspace=workspace, dimensions__topics__has_any_keys=sorted(topics))
        chunks = list(about.defer("text").select_related("document"))
        self._used = conversations_by_chunk(workspace, [chunk.pk for chunk in chunks])
        for chunk in chunks:
            for topic in chunk.dimensions["topics"]:
                self._by_topic.setdefault(topic, []).append(chunk)

    def least_used(self, topic: str) -> Chunk | None:
        """A chunk about the topic, or None when the sources are silent about it."""
        chunk = min(self._by_topic.get(topic, []), key=lambda one: self._used[one.pk], default=None)
        if chunk:
            self._used[chunk.pk] += 1
        return chunk
