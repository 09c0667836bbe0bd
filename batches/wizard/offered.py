"""What there is to generate, tier by tier: the numbers beside the choices of the first step."""

from collections import Counter
from dataclasses import dataclass, field

from batches.choices import Selection, TierFilter
from batches.selecting import STATUSES
from conversations.choices import Tier
from conversations.coverage import PlanCompletion, completion
from conversations.models import Workspace


@dataclass(frozen=True)
class Offer:
    """A tier, or all of them: how far its part of the plan is, and what a batch could take."""

    tier: str
    target: int = 0  # places of the plan
    gaps: int = 0  # of them, those without a conversation
    written: int = 0  # of them, those whose conversation can be read
    by_status: Counter[str] = field(default_factory=Counter)  # what could be generated, also outside the plan

    @property
    def label(self) -> str:
        return str(TierFilter(self.tier).label)

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
            self.written + other.written,
            self.by_status + other.by_status,
        )


def offers(workspace: Workspace) -> list[Offer]:
    """All tiers together, then each; as far as the dashboard says that they are."""
    plan = completion(workspace)
    each = [_of_tier(plan, tier) for tier in Tier.values]
    return [sum(each, Offer(TierFilter.ALL)), *each]


def _of_tier(plan: PlanCompletion, tier: str) -> Offer:
    by_status = plan.to_write(tier)
    planned = next((one for one in plan.tiers if one.standing.tier == tier), None)
    if planned is None:  # it has no template with a target
        return Offer(tier, by_status=by_status)
    return Offer(tier, planned.target, planned.gaps, planned.written, by_status)
