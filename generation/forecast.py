"""What one conversation will probably take: tokens of its reply, and cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import quantiles

from conversations.models import Conversation
from conversations.quality import thresholds_in_force
from generation.claude import Usage
from generation.models import GenerationLog, LogStatus
from generation.pricing import cost_of
from generation.simulated.launcher import MODEL_PREFIX

RECENT = 50  # replies that are looked at
ENOUGH = 5  # fewer say too little about the next one
# English has four tokens for three words (Anthropic's glossary); present models count up to 30 % more, and the JSON
# around the words adds its part.
TOKENS_PER_WORD = 1.8


@dataclass(frozen=True)
class Expected:
    """Tokens of a reply; one in ten is shorter than `low`, one in ten longer than `high`."""

    low: int
    likely: int
    high: int
    replies: int  # that this is known from; 0: from what scores best in its tier


@dataclass(frozen=True)
class Forecast:
    model: str
    input_tokens: int
    output: Expected

    @property
    def cost_usd(self) -> Decimal:
        """USD for the likely reply, without the prompt cache."""
        return self._cost(self.output.likely)

    @property
    def lowest_usd(self) -> Decimal:
        return self._cost(self.output.low)

    @property
    def highest_usd(self) -> Decimal:
        return self._cost(self.output.high)

    @property
    def price_assumed(self) -> bool:
        return cost_of(self.model, Usage()).assumed

    def _cost(self, output_tokens: int) -> Decimal:
        return cost_of(self.model, Usage(input=self.input_tokens, output=output_tokens)).usd

    def as_json(self) -> Mapping[str, object]:
        """USD as text."""
        return {
            "model": self.model,
            "input_tokens": self.input_tokens,
            "output_tokens": {"low": self.output.low, "likely": self.output.likely, "high": self.output.high},
            "replies_known": self.output.replies,
            "cost_usd": {"low": str(self.lowest_usd), "likely": str(self.cost_usd), "high": str(self.highest_usd)},
            "price_assumed": self.price_assumed,
        }


def expected_reply(draft: Conversation, model: str) -> Expected:
    """From the template's latest replies by this model; while there are fewer than five, from its tier's ranges."""
    logs = GenerationLog.objects.filter(
        workspace_id=draft.workspace_id,
        template_id=draft.template_id,
        status=LogStatus.SUCCEEDED,
        model__in=[model, MODEL_PREFIX + model],  # what simulated Claude wrote in its place counts as well
    )
    tokens = list(logs.order_by("-created_at").values_list("output_tokens", flat=True)[:RECENT])
    if draft.template_id is None or len(tokens) < ENOUGH:
        return _of_tier(draft.tier)
    tenths = quantiles(tokens, n=10, method="inclusive")
    return Expected(round(tenths[0]), round(sum(tokens) / len(tokens)), round(tenths[-1]), len(tokens))


def _of_tier(tier: str) -> Expected:
    """What scores ten in this tier: the fewest short turns, the most long ones, and the middle."""
    thresholds = thresholds_in_force()
    fewest, most = thresholds.turns_target
    assistant, user = thresholds.assistant_words(tier), thresholds.user_words
    low = fewest / 2 * (assistant.lowest + user.lowest) * TOKENS_PER_WORD
    high = most / 2 * (assistant.highest + user.highest) * TOKENS_PER_WORD
    per_exchange = (assistant.lowest + assistant.highest + user.lowest + user.highest) / 2
    return Expected(round(low), round((fewest + most) / 4 * per_exchange * TOKENS_PER_WORD), round(high), replies=0)
