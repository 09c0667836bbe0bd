"""How often values, pairs and whole combinations are used, as the database has counted."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models import Value as Literal

from conversations.choices import DimensionKind
from conversations.models import CoverageChange, CoverageCount, Workspace

PLANNED = (DimensionKind.PERSONA, DimensionKind.EMOTION, DimensionKind.TOPIC)
ROTATED = (DimensionKind.INTENT, DimensionKind.TONE)  # they vary evenly, but are no part of a slot
KINDS = tuple(kind.value for kind in (*PLANNED, *ROTATED))

# How many values make a group.
TOTALS = (0,)
UP_TO_PAIRS = (0, 1, 2)
ALL_GROUPS = (0, 1, 2, 3)

Value = tuple[str, str]  # kind and name: an emotion and a tone may have the same name


@dataclass
class Usage:
    """How often groups of values occur in conversations that exist or are planned. The empty group is all of them."""

    seen: Counter[tuple[Value, ...]] = field(default_factory=Counter)
    filled: int = 0  # places of the plan that have a live conversation

    def add(self, values: Sequence[Value], times: int = 1, sizes: Collection[int] = ALL_GROUPS) -> None:
        """Count a conversation: its persona, emotion and topic together, each pair, and each value by itself.

        Of these groups, those of the sizes that are asked for.
        """
        combination = tuple(value for value in values if value[0] in PLANNED)
        for group in {(), combination, *combinations(values, 2), *((value,) for value in values)}:
            if len(group) in sizes:
                self.seen[group] += times

    def of(self, value: Value, beside: Sequence[Value]) -> tuple[int, ...]:
        """What speaks against a value, the weightiest first, given those chosen already.

        No combination is repeated while another has not been used; what only rotates is shared out by itself.
        """
        pairs = sum(self.seen[(other, value)] for other in beside)
        alone = self.seen[(value,)]
        return (alone, pairs) if value[0] in ROTATED else (self.seen[(*beside, value)], pairs, alone)


class UsageByTemplate(dict[UUID | None, Usage]):
    """The usage of each template's conversations; under None, of those without a template."""

    def __missing__(self, template_id: UUID | None) -> Usage:
        return self.setdefault(template_id, Usage())


def of(workspace: Workspace | None) -> Q:
    """The condition that a row is of the workspace; without one, that it may be of any in the scope."""
    return Q(workspace=workspace) if workspace else Q()


def usage_by_template(workspace: Workspace | None, sizes: Collection[int]) -> UsageByTemplate:
    """What live conversations use, in groups of the given sizes; without a workspace, those of every one."""
    found = UsageByTemplate()
    counts = CoverageCount.objects.filter(of(workspace), chunk_id=None, size__in=sizes)
    changes = CoverageChange.objects.filter(of(workspace))
    # In one statement, because a change may be summed up into the counts at any moment.
    rows = _columns(counts, changed=False).union(_columns(changes, changed=True), all=True)
    for template_id, changed, *columns in rows:
        _take(found[template_id], sizes if changed else None, columns)
    return found


def _columns(uses: QuerySet[Any], *, changed: bool) -> QuerySet[Any, Any]:
    """A row for each template, its columns as lists: thousands of rows would keep the garbage collector busy."""
    columns = [ArrayAgg(name) for name in ("conversations", "places", *KINDS)]
    named = {f"column_{position}": column for position, column in enumerate(columns)}
    by_template: QuerySet[Any, Any] = uses.order_by().values("template_id").annotate(**named)
    return by_template.values_list("template_id", Literal(changed), *named)


def _take(usage: Usage, changed: Collection[int] | None, columns: Sequence[Sequence[Any]]) -> None:
    """Take in counts of groups; or whole conversations, of which the groups of the sizes in `changed` are counted."""
    same: dict[Value, Value] = {}  # many groups are made of a few values
    for times, places, *words in zip(*columns, strict=True):
        values = tuple(same.setdefault(value, value) for value in zip(KINDS, words, strict=True) if value[1])
        if changed is not None:
            usage.add(values, times, changed)
        else:
            usage.seen[values] += times
        if changed is not None or not values:
            usage.filled += places


def together(usages: Iterable[Usage]) -> Usage:
    total = Usage()
    for usage in usages:
        total.seen.update(usage.seen)
        total.filled += usage.filled
    return total


def conversations_by_chunk(workspace: Workspace, chunk_ids: Collection[UUID]) -> Counter[UUID]:
    """How many live conversations each of the chunks has."""
    counts = CoverageCount.objects.filter(workspace=workspace, size=1, chunk_id__in=chunk_ids)
    changes = CoverageChange.objects.filter(workspace=workspace, chunk_id__in=chunk_ids)
    fields = ("chunk_id", "conversations")
    found: Counter[UUID] = Counter()
    for chunk_id, times in counts.values_list(*fields).union(changes.values_list(*fields), all=True):
        found[chunk_id] += times
    return found


@transaction.atomic
def recount(workspace: Workspace) -> None:
    """Count a workspace's live conversations anew: for when rows were changed with the triggers disabled."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # millions of conversations take their time
        cursor.execute("SELECT coverage_recount(%s)", [workspace.pk])
