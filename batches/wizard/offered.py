"""What there is to generate, tier by tier: the numbers beside the choices of the first step."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from batches.choices import Selection, TierFilter
from batches.selecting import STATUSES
from conversations.choices import Status, Tier
from conversations.coverage.gaps import planned
from conversations.coverage.usage import TOTALS, usage_by_template
from conversations.models import Conversation, Workspace


@dataclass(frozen=True)
class Offer:
    """A tier, or all of them: how far its part of the plan is, and what a batch could take."""

    tier: str
    target: int  # places of the plan
    gaps: int  # of them, those without a conversation
    unwritten: int  # of them, those whose conversation is not written yet
    by_status: Counter[str]  # conversations that could be generated, also those outside the plan

    @property
    def label(self) -> str:
        return str(TierFilter(self.tier).label)

    @property
    def written(self) -> int:
        return max(0, self.target - self.gaps - self.unwritten)

    def number(self, selection: str) -> int:
        """How many of it a selection takes, but for those that another batch is at."""
        existing = sum(self.by_status[status] for status in STATUSES[Selection(selection)])
        return existing + (self.gaps if selection == Selection.GAPS else 0)

    @property
    def lacking(self) -> int:
        return self.number(Selection.GAPS)

    def __add__(self, other: "Offer") -> "Offer":
        return Offer(
            TierFilter.ALL,
            self.target + other.target,
            self.gaps + other.gaps,
            self.unwritten + other.unwritten,
            self.by_status + other.by_status,
        )


def offers(workspace: Workspace) -> list[Offer]:
    """All tiers together, then each."""
    filled = usage_by_template(workspace, TOTALS)
    templates = {template.pk: template for template in planned(workspace)}
    target: Counter[str] = Counter()
    gaps: Counter[str] = Counter()
    for template in templates.values():
        target[template.tier] += template.target_count
        gaps[template.tier] += max(0, template.target_count - filled[template.pk].filled)
    unwritten, by_status = _unwritten(workspace, templates)
    each = [Offer(tier, target[tier], gaps[tier], unwritten[tier], by_status[tier]) for tier in Tier.values]
    return [_together(each), *each]


def _together(each: Iterable[Offer]) -> Offer:
    return sum(each, Offer(TierFilter.ALL, 0, 0, 0, Counter()))


def _unwritten(workspace: Workspace, of: Collection[UUID]) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """By tier: conversations that hold a place of these templates and are not written; and all such, by status."""
    wanted = Conversation.objects.filter(workspace=workspace, version=1, status__in=[Status.DRAFT, Status.FAILED])
    in_plan = Count("pk", filter=~Q(slot=""))
    places: Counter[str] = Counter()
    by_status: dict[str, Counter[str]] = {tier: Counter() for tier in Tier.values}
    by_template: QuerySet[Any, Any] = wanted.order_by().values("template_id", "tier", "status")
    for row in by_template.annotate(number=Count("pk"), in_plan=in_plan):
        places[row["tier"]] += row["in_plan"] if row["template_id"] in of else 0
        by_status[row["tier"]][row["status"]] += row["number"]
    return places, by_status
