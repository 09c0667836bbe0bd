"""The coverage page: how far the plan is, by tier and template, which values and pairs are used, what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from conversations.admin.links import conversations_url, plan_url
from conversations.admin.scoping import sees_several
from conversations.choices import DimensionKind, Status, Tier
from conversations.choosing import workspaces_of
from conversations.coverage import Completion, PairTable, PlanCompletion, PlanStanding, completion, pair_table

PAIRS = (("persona", "emotion"), ("persona", "topic"), ("emotion", "topic"))
WAITING = {Status.DRAFT: "draft", Status.FAILED: "failed", Status.GENERATING: "being written"}


@dataclass(frozen=True)
class Linked:
    """A number, and the list of what it counts."""

    number: int
    label: str
    url: str


@dataclass(frozen=True)
class TierShown:
    completion: Completion
    label: str
    waiting: list[Linked]  # what is there and still to be written
    fill_url: str  # empty where the person may not, or nothing is left to generate
    templates: list["TemplateShown"]


@dataclass(frozen=True)
class TemplateShown:
    completion: Completion
    url: str
    live: Linked
    waiting: list[Linked]


@dataclass(frozen=True)
class PairsShown:
    table: PairTable
    kinds: tuple[str, str]
    rows: list[tuple[str, list[tuple[Any, str]]]]  # each cell with the list of its conversations


@dataclass(frozen=True)
class ValuesShown:
    label: str
    values: list[Linked]
    most: int
    unused: int


def coverage(request: HttpRequest) -> HttpResponse:
    """The page; `pairs` chooses which two kinds are set against each other: `persona-topic`."""
    if not request.user.has_perm("conversations.view_prompttemplate"):
        raise PermissionDenied
    plan = completion(workspaces_of(request).current)
    kinds = next((each for each in PAIRS if "-".join(each) == request.GET.get("pairs")), PAIRS[0])
    context = {
        **admin.site.each_context(request),
        "title": "Coverage",
        "everywhere": sees_several(),
        "plan": plan,
        "tiers": tiers_shown(request, plan),
        "fill_url": plan_url() if may_fill(request) and _left(plan, plan.tiers) else "",
        "pairs": pairs_shown(plan.standing, kinds),
        "other_pairs": [(" and ".join(each), "-".join(each), each == kinds) for each in PAIRS],
        "values": values_shown(plan.standing),
    }
    return TemplateResponse(request, "conversations/coverage/coverage.html", context)


def may_fill(request: HttpRequest) -> bool:
    """A batch is of one workspace: whoever looks at all of them has to choose one first."""
    return request.user.has_perm("batches.add_batchjob") and not sees_several()


def tiers_shown(request: HttpRequest, plan: PlanCompletion) -> list[TierShown]:
    return [_tier(one, plan, may_fill(request)) for one in plan.tiers]


def _tier(one: Completion, plan: PlanCompletion, may_fill: bool) -> TierShown:
    tier = one.standing.tier
    return TierShown(
        completion=one,
        label=Tier(tier).label,
        waiting=_waiting(one, tier=tier),
        fill_url=plan_url(tier=tier) if may_fill and _left(plan, [one]) else "",
        templates=[_template(each) for each in plan.of_tier(tier)],
    )


def _left(plan: PlanCompletion, tiers: Sequence[Completion]) -> bool:
    """Whether filling gaps would find something: gaps, drafts or failed ones."""
    to_do = (Status.DRAFT, Status.FAILED)
    return any(one.gaps or any(plan.to_write(one.standing.tier)[status] for status in to_do) for one in tiers)


def _template(one: Completion) -> TemplateShown:
    template = one.standing.template
    assert template is not None  # it is no tier's
    return TemplateShown(
        completion=one,
        url=reverse("admin:conversations_prompttemplate_change", args=[template.pk]),
        live=Linked(one.standing.live, "live", conversations_url(live=True, template=template.pk)),
        waiting=_waiting(one, template=template.pk),
    )


def _waiting(one: Completion, **where: Any) -> list[Linked]:
    return [
        Linked(number, _plural(label, number), conversations_url(status=status, **where))
        for status, label in WAITING.items()
        if (number := one.unwritten[status])
    ]


def _plural(label: str, number: int) -> str:
    return f"{label}s" if label == "draft" and number != 1 else label


def pairs_shown(plan: PlanStanding, kinds: tuple[str, str] = PAIRS[0]) -> PairsShown:
    """A table of two kinds; each cell that is used leads to its conversations."""
    table = pair_table(plan, *kinds)

    def linked(cell: Any) -> tuple[Any, str]:
        values = dict(zip(kinds, (cell.first, cell.second), strict=True))
        return cell, conversations_url(live=True, **values) if cell.conversations else ""

    return PairsShown(table, kinds, [(name, [linked(cell) for cell in cells]) for name, cells in table.rows])


def values_shown(plan: PlanStanding) -> list[ValuesShown]:
    """Of each kind, the values that the plan can choose or that are used, the least used first."""
    planned = {used.values for tier in plan.tiers for used in tier.values}
    used = {group for group, number in plan.usage.seen.items() if len(group) == 1 and number}
    shown = []
    for kind in DimensionKind:
        names = sorted({name for ((of, name),) in planned | used if of == kind}, key=str.casefold)
        values = [
            Linked(number, name, conversations_url(live=True, **{kind.value: name}))
            for name in names
            for number in [plan.usage.seen[((kind.value, name),)]]
        ]
        values.sort(key=lambda value: value.number)
        if values:
            unused = sum(not value.number for value in values)
            shown.append(ValuesShown(kind.label, values, values[-1].number, unused))
    return shown
