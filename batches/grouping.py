"""What a batch takes, by template and tier, with one conversation of each to tell by."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from batches.estimating import Group
from batches.selecting import Taken
from conversations import coverage
from conversations.models import Chunk, Conversation, Workspace
from generation.drafts import Drafts

Key = tuple[str, UUID | None]  # tier and template


def grouped(workspace: Workspace, taken: Taken) -> list[Group]:
    """The groups by tier and template's name, in queries whose number does not depend on how many there are."""
    sizes: dict[Key, int] = {}
    existing: dict[Key, UUID] = {}
    gaps: dict[Key, coverage.Gap] = {}
    for candidate in taken.existing:
        key = (candidate.tier, candidate.template_id)
        sizes[key] = sizes.get(key, 0) + 1
        existing.setdefault(key, candidate.key)
    for gap in taken.gaps:
        key = (gap.template.tier, gap.template.pk)
        sizes[key] = sizes.get(key, 0) + 1
        gaps.setdefault(key, gap)
    samples = _samples(workspace, existing, {key: gap for key, gap in gaps.items() if key not in existing})
    groups = [Group(samples[key].template, key[0], size, samples[key]) for key, size in sizes.items()]
    return sorted(groups, key=lambda group: (group.tier, group.template.name if group.template else ""))


def _samples(
    workspace: Workspace, existing: Mapping[Key, UUID], gaps: Mapping[Key, coverage.Gap]
) -> dict[Key, Conversation]:
    loaded = Drafts().load(list(existing.values()))
    drafts = _loaded_drafts(workspace, list(gaps.values()))
    return {key: loaded[pk] for key, pk in existing.items()} | dict(zip(gaps, drafts, strict=True))


def _loaded_drafts(workspace: Workspace, gaps: Sequence[coverage.Gap]) -> list[Conversation]:
    """What the gaps would become, their sources' texts included."""
    drafts = coverage.unsaved_drafts(workspace, gaps)
    chunks = Chunk.objects.select_related("document").in_bulk([draft.chunk_id for draft in drafts if draft.chunk_id])
    for draft in drafts:
        draft.chunk = chunks[draft.chunk_id] if draft.chunk_id else None
    return drafts
