"""The plan of a batch: what it takes, what that will probably cost, and what to think of before it is started."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings

from batches.choices import Delivery
from batches.estimating import Estimate, GroupEstimate
from batches.selecting import NAMED, Taken
from batches.spans import Span
from batches.wording import as_written, conversations, dollars
from conversations.choices import Status, Tier

if TYPE_CHECKING:
    from batches.planning import Order


@dataclass(frozen=True)
class PlanRow:
    """How many conversations of one kind a batch takes, and what they cost in each delivery."""

    tier: str
    template: str  # its name; empty for a whole tier
    gaps: int
    drafts: int
    failed: int
    usd: dict[Delivery, Span[Decimal]]

    @property
    def total(self) -> int:
        return self.gaps + self.drafts + self.failed

    @property
    def label(self) -> str:
        return self.template or Tier(self.tier).label

    def as_json(self) -> dict[str, Any]:
        likely = {delivery.value: str(span.likely) for delivery, span in self.usd.items()}
        named = {"tier": self.tier, **({"template_name": self.template} if self.template else {})}
        return {
            **named,
            "gaps": self.gaps,
            "drafts": self.drafts,
            "failed": self.failed,
            "total": self.total,
            "cost_usd": likely,
        }


@dataclass(frozen=True)
class Plan:
    order: "Order"
    taken: Taken
    estimate: Estimate

    @property
    def total(self) -> int:
        return self.taken.total

    @property
    def usd(self) -> Span[Decimal]:
        """As it is ordered."""
        return self.estimate.usd(self.order.delivery)

    @property
    def seconds(self) -> Span[float]:
        """As it is ordered."""
        return self.estimate.seconds(self.order.delivery)

    @cached_property
    def templates(self) -> list[PlanRow]:
        """By tier and name."""
        return [self._row(each) for each in self.estimate.groups]

    @cached_property
    def tiers(self) -> list[PlanRow]:
        return [_summed(tier.value, rows) for tier in Tier if (rows := [r for r in self.templates if r.tier == tier])]

    @property
    def elsewhere(self) -> str:
        """Which are left out because another batch is at them, in words; empty when none is."""
        left_out = self.taken.elsewhere
        if not left_out:
            return ""
        names = ", ".join(sorted(each.readable_id for each in left_out)[:NAMED])
        more = ", …" if len(left_out) > NAMED else "."
        are = "is" if len(left_out) == 1 else "are"
        return f"{conversations(len(left_out))} {are} left out, since another batch is at work on them: {names}{more}"

    @cached_property
    def warnings(self) -> list[str]:
        """What to think of before it is started, in sentences."""
        return [*self._about_cost(), *self._about_prompts()]

    @cached_property
    def fingerprint(self) -> str:
        """Another one for whatever else would be taken, or be done with it."""
        order = _plain(self.order)
        taken = sorted(str(each.key) for each in self.taken.existing) + sorted(gap.slot for gap in self.taken.gaps)
        return hashlib.sha256(json.dumps([order, taken], default=str, sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The numbers by tier and by template, `left_out`, `warnings`, and the `estimate` as a job keeps it."""
        return {
            "total": self.total,
            "tiers": [row.as_json() for row in self.tiers],
            "templates": [row.as_json() for row in self.templates],
            "left_out": len(self.taken.elsewhere),
            "estimate": self.estimate.as_json(),
            "warnings": self.warnings,
            "fingerprint": self.fingerprint,
        }

    def _about_cost(self) -> Iterator[str]:
        likely, threshold = self.usd.likely, Decimal(str(settings.BATCH_COST_WARNING_USD))
        if threshold and likely > threshold:
            most = as_written(threshold)
            yield f"It will probably cost {dollars(likely)}, more than the {most} above which you are warned."
        budget = self.order.budget_usd
        if budget is not None and likely > budget:
            most = as_written(budget)
            yield f"It will probably cost {dollars(likely)}, and its budget is {most}: not all would be generated."
        if self.estimate.price_assumed:
            models = ", ".join(sorted({each.model for each in self.estimate.groups if each.price_assumed}))
            yield f"The price of {models} is not known: the highest rates are assumed. MODEL_PRICES can hold it."

    def _about_prompts(self) -> Iterator[str]:
        for each in self.estimate.groups:
            if each.problem:
                yield f"{conversations(each.group.size)} would probably fail, before anything is paid. {each.problem}"

    def _row(self, estimated: GroupEstimate) -> PlanRow:
        group = estimated.group
        key = (group.tier, group.template.pk if group.template else None)
        counts = self._counts
        return PlanRow(
            group.tier,
            group.template.name if group.template else "(deleted template)",
            gaps=counts[*key, ""],
            drafts=counts[*key, Status.DRAFT.value],
            failed=counts[*key, Status.FAILED.value],
            usd=dict(estimated.usd),
        )

    @cached_property
    def _counts(self) -> Counter[tuple[Any, ...]]:
        """By tier, template and status; gaps have none yet."""
        counts: Counter[tuple[Any, ...]] = Counter()
        counts.update((each.tier, each.template_id, each.status) for each in self.taken.existing)
        counts.update((gap.template.tier, gap.template.pk, "") for gap in self.taken.gaps)
        return counts


def _plain(order: "Order") -> dict[str, Any]:
    """The order as plain data, without its name and who gives it."""
    told = {name: value for name, value in vars(order).items() if name not in ("workspace", "name", "created_by")}
    plain = {"workspace": order.workspace.pk, "overrides": asdict(order.overrides), "chosen": sorted(order.chosen)}
    return {**told, **plain}


def _summed(tier: str, rows: Sequence[PlanRow]) -> PlanRow:
    first, *others = [row.usd for row in rows]
    usd = {delivery: sum((other[delivery] for other in others), span) for delivery, span in first.items()}
    return PlanRow(
        tier,
        "",
        gaps=sum(row.gaps for row in rows),
        drafts=sum(row.drafts for row in rows),
        failed=sum(row.failed for row in rows),
        usd=usd,
    )
