"""How far the plan is: what is filled and missing, and which values and pairs are used least."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, product, starmap
from typing import Any

from conversations.choices import Tier
from conversations.coverage.gaps import active_dimensions, applicable, planned
from conversations.coverage.usage import KINDS, PLANNED, UP_TO_PAIRS, Usage, Value, together, usage_by_template
from conversations.models import Dimension, PromptTemplate, Workspace


@dataclass(frozen=True)
class Used:
    """A value, or two together, and how many live conversations have it."""

    values: tuple[Value, ...]
    conversations: int

    def __str__(self) -> str:
        return f"{' + '.join(name for _kind, name in self.values)} ({self.conversations})"

    def as_json(self) -> dict[str, Any]:
        """`{"persona": "Careful saver", "conversations": 3}`; of two together, both kinds."""
        return {**dict(self.values), "conversations": self.conversations}


@dataclass(frozen=True)
class Standing:
    """How far a template is, or the templates of a tier together."""

    tier: str
    template: PromptTemplate | None  # None: all of the tier
    target: int  # places that the plan has
    missing: int  # places without a live conversation
    filled: int  # places with one; more than the target, where that was lowered
    live: int  # live conversations, also those outside the plan
    values: list[Used]  # the applicable values of every kind, the least used first
    pairs: list[Used]  # the applicable pairs of persona, emotion and topic, the least used first

    def as_json(self, *, least: int | None = None) -> dict[str, Any]:
        """With all values and pairs, or only so many of those that are used least."""
        return {
            "tier": self.tier,
            "template_name": self.template and self.template.name,
            "template": self.template and str(self.template.pk),
            "target": self.target,
            "live": self.live,
            "missing": self.missing,
            "values": [used.as_json() for used in self.values[:least]],
            "pairs": [used.as_json() for used in self.pairs[:least]],
        }


@dataclass(frozen=True)
class PlanStanding:
    templates: list[Standing]
    tiers: list[Standing]  # those that the plan has templates of
    usage: Usage  # of all live conversations, also those outside the plan

    @property
    def missing(self) -> int:
        return sum(tier.missing for tier in self.tiers)

    def as_json(self, *, least: int | None = None) -> dict[str, Any]:
        """Numbers of conversations; see `Standing.as_json`."""
        return {
            "missing": self.missing,
            "templates": [one.as_json(least=least) for one in self.templates],
            "tiers": [one.as_json(least=least) for one in self.tiers],
        }


def standing(workspace: Workspace | None, tier: str = "all") -> PlanStanding:
    """How far each template of the plan is, and each tier; without a workspace, those of every one together."""
    dimensions = active_dimensions(workspace)
    usages = usage_by_template(workspace, UP_TO_PAIRS)
    templates = [
        _of_template(template, applicable(template, dimensions), usages[template.pk])
        for template in planned(workspace, tier)
    ]
    by_tier = {each.value: [one for one in templates if one.tier == each] for each in Tier}
    tiers = [_of_tier(name, of_tier) for name, of_tier in by_tier.items() if of_tier]
    return PlanStanding(templates, tiers, together(usages.values()))


def _of_template(template: PromptTemplate, choices: dict[str, list[Dimension]], usage: Usage) -> Standing:
    values = {kind: [(kind, dimension.name) for dimension in choices[kind]] for kind in KINDS}
    pairs = [pair for one, other in combinations(PLANNED, 2) for pair in product(values[one], values[other])]
    return Standing(
        tier=template.tier,
        template=template,
        target=template.target_count,
        missing=max(0, template.target_count - usage.filled),
        filled=usage.filled,
        live=usage.seen[()],
        values=_least_used_first({(value,): usage.seen[(value,)] for kind in KINDS for value in values[kind]}),
        pairs=_least_used_first({pair: usage.seen[pair] for pair in pairs}),
    )


def _of_tier(tier: str, templates: list[Standing]) -> Standing:
    return Standing(
        tier=tier,
        template=None,
        target=sum(one.target for one in templates),
        missing=sum(one.missing for one in templates),
        filled=sum(one.filled for one in templates),
        live=sum(one.live for one in templates),
        values=_least_used_first(_summed(used for one in templates for used in one.values)),
        pairs=_least_used_first(_summed(used for one in templates for used in one.pairs)),
    )


def _summed(uses: Iterable[Used]) -> Counter[tuple[Value, ...]]:
    total: Counter[tuple[Value, ...]] = Counter()
    for used in uses:
        total[used.values] += used.conversations
    return total


def _least_used_first(counts: Mapping[tuple[Value, ...], int]) -> list[Used]:
    return sorted(starmap(Used, counts.items()), key=lambda used: used.conversations)
