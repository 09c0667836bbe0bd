"""One draft, ordered by hand: a template with the persona, emotion, topic … that somebody chose."""

from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django.db import transaction

from conversations.choices import DimensionKind
from conversations.coverage.drafts import ChunksByTopic, lock_plan, new_draft
from conversations.coverage.slots import combination_key, free_slots
from conversations.coverage.usage import ALL_GROUPS, PLANNED, usage_by_template
from conversations.models import Chunk, Conversation, Dimension, PromptTemplate, Workspace
from conversations.numbering import next_ids
from convgen.models import User

NAMED = 12  # values that a refusal lists


class OrderError(ValueError):
    """The draft cannot be ordered like that; the message says what can be.

    `problems` are its parts by what they are about: template, persona, emotion …
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


def template_named(workspace: Workspace, name: str) -> PromptTemplate:
    """The template of this name, however it is capitalised. Raises `OrderError`."""
    templates = PromptTemplate.objects.filter(workspace=workspace)
    found = templates.filter(name=name.strip()).first() or templates.filter(name__iexact=name.strip()).first()
    if found is None:
        near = _did_you_mean(name, templates.values_list("name", flat=True))
        raise OrderError({"template": f"There is no template “{name}”. {near}"})
    return found


def draft_of(
    template: PromptTemplate,
    words: Mapping[str, str],
    *,
    parameters: Mapping[str, Any] | None = None,
    created_by: User | None = None,
) -> Conversation:
    """A draft that is not saved and has no id yet.

    `words` name values of the workspace's dimensions by kind (persona, emotion, topic, intent, tone), however they are
    capitalised; a kind that is left out stays open. The source is the least used chunk about the topic, as in the plan.
    Raises `OrderError` for every word that the workspace does not know, at once.
    """
    values = _values(template.workspace, words)
    topic = values.get(DimensionKind.TOPIC)
    source = source_about(template.workspace, topic.name) if topic else None
    draft = new_draft(template, values, source, created_by=created_by)
    draft.parameters = dict(parameters or {})
    return draft


@transaction.atomic
def place_in_plan(draft: Conversation) -> Conversation:
    """Save a draft of `draft_of`, with its readable id and a place of the plan."""
    lock_plan(draft.workspace)
    if draft.template:
        words = {kind.value: getattr(draft, kind) for kind in PLANNED}
        draft.slot = _free_slot(draft.template, _values(draft.workspace, words))
    [draft.conversation_id] = next_ids(draft.workspace_id, draft.tier, 1)
    draft.save(force_insert=True)
    return draft


def _values(workspace: Workspace, words: Mapping[str, str]) -> dict[str, Dimension]:
    """The dimensions that the words name, by kind."""
    wanted = {kind: word.strip() for kind, word in words.items() if word and word.strip()}
    known: dict[str, dict[str, Dimension]] = {kind.value: {} for kind in DimensionKind}
    for dimension in Dimension.objects.filter(workspace=workspace, active=True, kind__in=wanted):
        known[dimension.kind][dimension.name.casefold()] = dimension
    unknown = {
        kind: f"There is no {kind} “{word}”. {_did_you_mean(word, [value.name for value in known[kind].values()])}"
        for kind, word in wanted.items()
        if word.casefold() not in known[kind]
    }
    if unknown:
        raise OrderError(unknown)
    return {kind: known[kind][word.casefold()] for kind, word in wanted.items()}


def _did_you_mean(word: str, names: Any) -> str:
    """The names that come near; else some of those that there are."""
    every = sorted(names)
    near = get_close_matches(word, every, n=3)
    if near:
        return f"Did you mean {' or '.join(f'“{name}”' for name in near)}?"
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return f"There are: {', '.join(every[:NAMED])}{more}." if every else "There are none yet."


def source_about(workspace: Workspace, topic: str) -> Chunk | None:
    """The least used chunk about a topic, as in the plan; None when the sources are silent about it."""
    return ChunksByTopic(workspace, {topic}).least_used(topic)


def _free_slot(template: PromptTemplate, values: dict[str, Dimension]) -> str:
    """A place of the plan for this combination that no live conversation has."""
    combination = tuple((kind.value, values[kind].name) for kind in PLANNED if kind in values)
    used = usage_by_template(template.workspace, ALL_GROUPS)[template.pk].seen[combination]
    key = combination_key(template, values)
    return next(free_slots(template.workspace, Counter({key: 1}), {key: used + 1})[key])
