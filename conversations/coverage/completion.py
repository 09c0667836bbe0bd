"""How much of the plan is written: a place that holds a draft is no gap, and yet nothing can be read there."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from conversations.choices import UNWRITTEN
from conversations.coverage.standing import PlanStanding, Standing, standing
from conversations.coverage.usage import of
from conversations.models import Conversation, Workspace

IN_PLAN = Q(version=1) & ~Q(slot="")  # a later version fills no place before it is written


@dataclass(frozen=True)
class Completion:
    """How far a template or a tier is, and what of it is still to be written."""

    standing: Standing
    written: int  # places of the plan with a conversation that can be read
    unwritten: Counter[str]  # conversations by status, also those outside the plan; of a tier: whatever their template

    @property
    def target(self) -> int:
        return self.standing.target

    @property
    def gaps(self) -> int:
        return self.standing.missing

    @property
    def complete(self) -> bool:
        return self.written >= self.target

    @property
    def per_cent(self) -> int:
        """Of the places, how many are written: 100 only when all of them are."""
        return self.written * 100 // self.target if self.target else 100


@dataclass(frozen=True)
class PlanCompletion:
    standing: PlanStanding
    tiers: list[Completion]
    templates: list[Completion]
    rows: list[dict[str, Any]]  # what is still to be written, as `by_template` counts it

    @property
    def target(self) -> int:
        return sum(tier.target for tier in self.tiers)

    @property
    def written(self) -> int:
        return sum(tier.written for tier in self.tiers)

    @property
    def gaps(self) -> int:
        return self.standing.missing

    @property
    def complete(self) -> bool:
        return all(tier.complete for tier in self.tiers)

    @property
    def per_cent(self) -> int:
        return self.written * 100 // self.target if self.target else 100

    def of_tier(self, tier: str) -> list[Completion]:
        """The tier's templates."""
        return [one for one in self.templates if one.standing.tier == tier]

    def to_write(self, tier: str) -> Counter[str]:
        """By status, what batches may take of a tier, whatever its template: no later version, which is named alone."""
        return _by_status([row for row in self.rows if row["tier"] == tier], "first_versions")


def completion(workspace: Workspace | None) -> PlanCompletion:
    """How far the plan is; without a workspace, that of every one together."""
    plan = standing(workspace)
    rows = list(by_template(workspace))
    templates = [_of_template(one, rows) for one in plan.templates]
    return PlanCompletion(plan, [_of_tier(one, templates, rows) for one in plan.tiers], templates, rows)


def _of_template(one: Standing, rows: list[dict[str, Any]]) -> Completion:
    mine = [row for row in rows if one.template and row["template_id"] == one.template.pk]
    waiting = sum(row["in_plan"] for row in mine)
    return Completion(one, max(0, min(one.target, one.filled - waiting)), _by_status(mine))


def _of_tier(one: Standing, templates: list[Completion], rows: list[dict[str, Any]]) -> Completion:
    written = sum(each.written for each in templates if each.standing.tier == one.tier)
    return Completion(one, written, _by_status([row for row in rows if row["tier"] == one.tier]))


def _by_status(rows: list[dict[str, Any]], counted: str = "conversations") -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row["status"]] += row[counted]
    return found


def by_template(workspace: Workspace | None) -> QuerySet[Any, Any]:
    """What is still to be written, by template, tier and status; and how many are first versions, and in the plan."""
    found = Conversation.objects.filter(of(workspace), status__in=UNWRITTEN).order_by()
    # Of the columns that the index holds: no row is read for it.
    counted = {
        "conversations": Count("*"),
        "first_versions": Count("version", filter=Q(version=1)),
        "in_plan": Count("version", filter=IN_PLAN),
    }
    grouped: QuerySet[Any, Any] = found.values("template_id", "tier", "status")
    rows: QuerySet[Any, Any] = grouped.annotate(**counted)
    return rows
