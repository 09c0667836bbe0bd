"""The gaps of the plan, each with the combination that has been used least."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conversations.coverage.slots import combination_key, free_slots
from conversations.coverage.usage import (
    ALL_GROUPS,
    KINDS,
    PLANNED,
    TOTALS,
    Usage,
    UsageByTemplate,
    of,
    together,
    usage_by_template,
)
from conversations.models import Dimension, PromptTemplate, Workspace

MOST = 50_000  # gaps that are worked out at one time: one takes 0.07 ms, and whoever changes the plan waits meanwhile

Values = dict[str, Dimension]  # by kind; a kind of which the workspace has no values is left out


class PlanTooLarge(Exception):
    """The plan lacks more conversations than can be planned at one time; the message says whose target is too high."""

    def __init__(self, missing: dict[PromptTemplate, int]) -> None:
        template, number = max(missing.items(), key=lambda each: each[1])
        super().__init__(
            f"The plan lacks {sum(missing.values()):,} conversations, and {MOST:,} can be planned at one time. "
            f"“{template}” alone lacks {number:,}: lower its target, or choose one tier."
        )


@dataclass(frozen=True)
class Gap:
    template: PromptTemplate
    values: Values
    slot: str

    def as_json(self) -> dict[str, Any]:
        """Which template, and the word of each kind that its conversation should be made with."""
        return {
            "tier": self.template.tier,
            "template_name": self.template.name,
            "template": str(self.template.pk),
            **{kind: self.values[kind].name if kind in self.values else "" for kind in KINDS},
            "slot": self.slot,
        }


def gaps(workspace: Workspace, tier: str = "all") -> list[Gap]:
    """The places of active templates that no live conversation fills, each with its combination.

    Raises `PlanTooLarge`.
    """
    totals = usage_by_template(workspace, TOTALS)
    lacking = {template: template.target_count - totals[template.pk].filled for template in planned(workspace, tier)}
    missing = {template: number for template, number in lacking.items() if number > 0}
    if not missing:
        return []
    if sum(missing.values()) > MOST:
        raise PlanTooLarge(missing)
    usages = usage_by_template(workspace, ALL_GROUPS)
    return _with_slots(workspace, list(_combinations(workspace, missing, usages)), usages)


def planned(workspace: Workspace | None, tier: str = "all") -> list[PromptTemplate]:
    """The templates that the plan wants conversations from; without a workspace, those of every one."""
    templates = PromptTemplate.objects.filter(of(workspace), active=True, target_count__gt=0)
    if tier != "all":
        templates = templates.filter(tier=tier)
    return list(templates.order_by("tier", "name", "pk").prefetch_related("applies_to"))


def active_dimensions(workspace: Workspace | None) -> list[Dimension]:
    return list(Dimension.objects.filter(of(workspace), active=True))


def applicable(template: PromptTemplate, dimensions: list[Dimension]) -> dict[str, list[Dimension]]:
    """By kind: the template's own choice among the active values of its workspace; all of them without a choice."""
    mine = [dimension for dimension in dimensions if dimension.workspace_id == template.workspace_id]
    choices = {}
    for kind in KINDS:
        active = [dimension for dimension in mine if dimension.kind == kind]
        chosen = {dimension.pk for dimension in template.applies_to.all() if dimension.kind == kind}
        choices[kind] = [dimension for dimension in active if dimension.pk in chosen] if chosen else active
    return choices


def _combinations(
    workspace: Workspace, missing: dict[PromptTemplate, int], usages: UsageByTemplate
) -> Iterator[tuple[PromptTemplate, Values]]:
    """What each missing conversation should be made of; it is counted as used."""
    dimensions = active_dimensions(workspace)
    everywhere = together(usages.values())
    for template, number in missing.items():
        choices = applicable(template, dimensions)
        here = usages[template.pk]
        for _missing in range(number):
            values = _least_used(choices, here, everywhere)
            words = [(kind, dimension.name) for kind, dimension in values.items()]
            here.add(words)
            everywhere.add(words)
            yield template, values


def _least_used(choices: dict[str, list[Dimension]], here: Usage, everywhere: Usage) -> Values:
    picked: Values = {}
    for kind, candidates in choices.items():
        beside = [(other, dimension.name) for other, dimension in picked.items()]
        usage = {
            one: (*here.of((kind, one.name), beside), *everywhere.of((kind, one.name), beside)) for one in candidates
        }
        if usage:
            picked[kind] = min(usage, key=usage.__getitem__)
    return picked


def _with_slots(
    workspace: Workspace, combinations: list[tuple[PromptTemplate, Values]], usages: UsageByTemplate
) -> list[Gap]:
    """Each combination as a gap: with a slot that no live conversation has."""
    keys = [combination_key(template, values) for template, values in combinations]
    bounds = {
        key: usages[template.pk].seen[_planned_words(values)]
        for key, (template, values) in zip(keys, combinations, strict=True)
    }
    free = free_slots(workspace, Counter(keys), bounds)
    return [Gap(*combination, next(free[key])) for key, combination in zip(keys, combinations, strict=True)]


def _planned_words(values: Values) -> tuple[tuple[str, str], ...]:
    return tuple((kind.value, values[kind].name) for kind in PLANNED if kind in values)
