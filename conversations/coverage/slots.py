"""Slots: each is the key of a place in the plan, which one live conversation at most can have."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from django.db import connection

from conversations.coverage.usage import PLANNED
from conversations.models import Dimension, PromptTemplate, Workspace

# Looks numbers up in the index of live slots, one after the other, and stops when enough are free. Downward, because
# the numbers that are given out grow with the conversations: what is free is near the bound, and seldom below.
# `OFFSET 0` keeps PostgreSQL from reading all slots of the workspace into a hash instead.
FREE_NUMBERS = """
SELECT wanted.combination, free.number
FROM unnest(%s::text[], %s::integer[], %s::integer[]) AS wanted (combination, times, bound)
CROSS JOIN LATERAL (
    SELECT number FROM (SELECT generate_series(wanted.bound, 1, -1) AS number) AS downward
    WHERE NOT EXISTS (
        SELECT FROM conversations_conversation
        WHERE workspace_id = %s AND slot = wanted.combination || ':' || number
            AND slot <> '' AND status NOT IN ('archived', 'rejected')
        OFFSET 0
    )
    LIMIT wanted.times
) AS free
"""

FreeSlots: TypeAlias = dict[str, Iterator[str]]


def combination_key(template: PromptTemplate, values: Mapping[str, Dimension]) -> str:
    """A slot without its number: the ids of the template and the combination."""
    ids = [str(values[kind].pk) if kind in values else "-" for kind in PLANNED]
    return ":".join([str(template.pk), *ids])


def free_slots(workspace: Workspace, wanted: Counter[str], bounds: Mapping[str, int]) -> FreeSlots:
    """For each combination's key, as many free slots as are wanted.

    A combination's bound is how many conversations have it, those wanted included: of so many numbers, enough are
    free. Only where a dimension was renamed, so that its conversations go by another name, the search goes on.
    """
    found: FreeSlots = {}
    while bounds:
        numbers = _free_numbers(workspace, wanted, bounds)
        enough = {combination for combination in bounds if len(numbers[combination]) == wanted[combination]}
        found |= {each: iter([f"{each}:{number}" for number in sorted(numbers[each])]) for each in enough}
        bounds = {each: 2 * bound for each, bound in bounds.items() if each not in enough}
    return found


def _free_numbers(workspace: Workspace, wanted: Counter[str], bounds: Mapping[str, int]) -> dict[str, list[int]]:
    """Up to as many free numbers as are wanted, none above the bound."""
    free: dict[str, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        times = [wanted[combination] for combination in bounds]
        cursor.execute(FREE_NUMBERS, [list(bounds), times, list(bounds.values()), workspace.pk])
        for combination, number in cursor.fetchall():
            free[combination].append(number)
    return free
