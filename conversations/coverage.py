"""The coverage plan: which personas, emotions and topics each template still needs.

A template has `target_count` places. Those not filled by a live conversation are gaps. A gap is given the
combination that the plan has used least: first the persona, then the emotion rarest beside it, then the topic
rarest with both, so that combinations, pairs and values are covered as evenly as possible. The same data give the
same plan.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, count
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count

from conversations.choices import DimensionKind
from conversations.models import Chunk, Conversation, Dimension, PromptTemplate, Workspace
from conversations.models.conversation import ConversationQuerySet
from conversations.numbering import next_ids
from convgen.models import User

PLANNED = (DimensionKind.PERSONA, DimensionKind.EMOTION, DimensionKind.TOPIC)
ROTATED = (DimensionKind.INTENT, DimensionKind.TONE)  # they vary evenly, but are no part of a slot
KINDS = tuple(kind.value for kind in (*PLANNED, *ROTATED))


Value = tuple[str, str]  # kind and name: an emotion and a tone may have the same name


@dataclass
class Usage:
    """How often values, pairs and whole combinations occur in conversations that exist or are planned."""

    seen: Counter[tuple[Value, ...]] = field(default_factory=Counter)

    def add(self, values: Sequence[Value], times: int = 1) -> None:
        """Count one conversation: its persona, emotion and topic together, each pair, and each value by itself."""
        combination = tuple(value for value in values if value[0] in PLANNED)
        for group in {combination, *combinations(values, 2), *((value,) for value in values)}:
            self.seen[group] += times

    def of(self, value: Value, beside: Sequence[Value]) -> tuple[int, ...]:
        """What speaks against a value, the weightiest first, given those chosen already.

        No combination is repeated while another has not been used; what only rotates is shared out by itself.
        """
        pairs = sum(self.seen[(other, value)] for other in beside)
        alone = self.seen[(value,)]
        return (alone, pairs) if value[0] in ROTATED else (self.seen[(*beside, value)], pairs, alone)


def _usage(live: ConversationQuerySet) -> Usage:
    """What conversations use already."""
    usage = Usage()
    for *names, times in live.order_by().values_list(*KINDS).annotate(Count("pk")):
        usage.add([(kind, name) for kind, name in zip(KINDS, names, strict=True) if name], times)
    return usage


@dataclass(frozen=True)
class Gap:
    template: PromptTemplate
    values: dict[str, Dimension]  # by kind; a kind of which the workspace has no values is left out
    slot: str


def gaps(workspace: Workspace, tier: str = "all") -> list[Gap]:
    """The places of active templates that no live conversation fills, each with its combination."""
    dimensions = list(Dimension.objects.filter(workspace=workspace, active=True))
    everywhere = _usage(Conversation.objects.filter(workspace=workspace).live())
    return [gap for template in _templates(workspace, tier) for gap in _gaps_of(template, dimensions, everywhere)]


@transaction.atomic
def fill_gaps(workspace: Workspace, tier: str = "all", *, created_by: User | None = None) -> list[Conversation]:
    """Create a draft for every gap, and return the drafts. Two callers at once do not fill a gap twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"coverage:{workspace.pk}"])
    found = gaps(workspace, tier)
    chunks = _ChunksByTopic(workspace)
    ids = {each: iter(next_ids(workspace.pk, each, number)) for each, number in _per_tier(found).items()}
    drafts = [_draft(gap, next(ids[gap.template.tier]), chunks, created_by) for gap in found]
    return Conversation.objects.bulk_create(drafts, batch_size=1000)


def _templates(workspace: Workspace, tier: str) -> list[PromptTemplate]:
    templates = PromptTemplate.objects.filter(workspace=workspace, active=True, target_count__gt=0)
    if tier != "all":
        templates = templates.filter(tier=tier)
    return list(templates.order_by("tier", "name", "pk").prefetch_related("applies_to"))


def _gaps_of(template: PromptTemplate, dimensions: list[Dimension], everywhere: Usage) -> Iterator[Gap]:
    choices = {kind: _applicable(template, kind, dimensions) for kind in KINDS}
    live = template.conversations.live()
    here = _usage(live)
    slots = set(live.exclude(slot="").values_list("slot", flat=True))  # those made outside the plan fill no place
    for _missing in range(template.target_count - len(slots)):
        values = _least_used(choices, here, everywhere)
        planned = [(kind, dimension.name) for kind, dimension in values.items()]
        here.add(planned)
        everywhere.add(planned)
        slot = _slot(template, values, slots)
        slots.add(slot)
        yield Gap(template, values, slot)


def _applicable(template: PromptTemplate, kind: str, dimensions: list[Dimension]) -> list[Dimension]:
    """The template's own choice among a kind's active values; all of them where it has made none."""
    active = [dimension for dimension in dimensions if dimension.kind == kind]
    chosen = {dimension.pk for dimension in template.applies_to.all() if dimension.kind == kind}
    return [dimension for dimension in active if dimension.pk in chosen] if chosen else active


def _least_used(choices: dict[str, list[Dimension]], here: Usage, everywhere: Usage) -> dict[str, Dimension]:
    picked: dict[str, Dimension] = {}
    for kind, candidates in choices.items():
        beside = [(other, dimension.name) for other, dimension in picked.items()]
        usage = {
            one: (*here.of((kind, one.name), beside), *everywhere.of((kind, one.name), beside)) for one in candidates
        }
        if usage:
            picked[kind] = min(usage, key=usage.__getitem__)
    return picked


def _slot(template: PromptTemplate, values: dict[str, Dimension], taken: set[str]) -> str:
    """The coverage key: the combination's ids, and a number for when it occurs again."""
    ids = [str(values[kind].pk) if kind in values else "-" for kind in PLANNED]
    combination = ":".join([str(template.pk), *ids])
    return next(key for number in count(1) if (key := f"{combination}:{number}") not in taken)


def _per_tier(found: list[Gap]) -> Counter[str]:
    return Counter(gap.template.tier for gap in found)


def _draft(gap: Gap, readable_id: str, chunks: "_ChunksByTopic", created_by: User | None) -> Conversation:
    words = {kind: dimension.name for kind, dimension in gap.values.items()}
    chunk = chunks.least_used(words.get(DimensionKind.TOPIC, ""))
    return Conversation(
        workspace_id=gap.template.workspace_id,
        conversation_id=readable_id,
        template=gap.template,
        template_version=gap.template.version,
        tier=gap.template.tier,
        category=gap.template.category,
        slot=gap.slot,
        chunk=chunk,
        document=chunk.document if chunk else None,
        created_by=created_by,
        **words,
    )


class _ChunksByTopic:
    """Shares the sources of a topic out evenly among its conversations."""

    def __init__(self, workspace: Workspace) -> None:
        self._by_topic: dict[str, list[Chunk]] = {}
        live = Conversation.objects.filter(workspace=workspace, chunk__isnull=False).live()
        self._used: Counter[UUID | None] = Counter(dict(live.order_by().values_list("chunk").annotate(Count("pk"))))
        for chunk in Chunk.objects.filter(workspace=workspace).select_related("document"):
            for topic in chunk.dimensions.get("topics", []):
                self._by_topic.setdefault(topic, []).append(chunk)

    def least_used(self, topic: str) -> Chunk | None:
        """A chunk about the topic, or None when the sources are silent about it."""
        chunk = min(self._by_topic.get(topic, []), key=lambda one: self._used[one.pk], default=None)
        if chunk:
            self._used[chunk.pk] += 1
        return chunk
