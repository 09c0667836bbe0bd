"""What one conversation will probably take: tokens of its request and its reply, and cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import quantiles
from typing import Any

from conversations.models import Conversation
from conversations.quality import thresholds_in_force
from generation.answers import Usage
from generation.history import Asked, History
from generation.pricing import cost_of

# English has four tokens for three words (Anthropic's glossary); present models count up to 30 % more, and the JSON
# around the words adds its part.
TOKENS_PER_WORD = 1.8
CHARACTERS_PER_TOKEN = 3.5  # of English (Anthropic's glossary)


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


def expected_reply(draft: Conversation, asked: Asked) -> Expected:
    """From the template's latest replies to such requests; while there are fewer than five, from its tier's ranges."""
    if draft.template_id is None:
        return usual_reply(draft.tier)
    known = History(draft.workspace_id, [draft.template_id]).of_template(draft.template_id, asked)
    if not known.enough:
        return usual_reply(draft.tier)
    tokens = known.replies
    tenths = quantiles(tokens, n=10, method="inclusive")
    return Expected(round(tenths[0]), round(sum(tokens) / len(tokens)), round(tenths[-1]), len(tokens))


def prompt_tokens(request: Mapping[str, Any]) -> int:
    """About how many tokens a request's texts have, reckoned from their length, without asking Claude."""
    texts = [block["text"] for block in request["system"]] + [message["content"] for message in request["messages"]]
    return tokens_of(sum(map(len, texts)))


def tokens_of(characters: int) -> int:
    return round(characters / CHARACTERS_PER_TOKEN)


def usual_reply(tier: str) -> Expected:
    """What scores ten in this tier: the fewest short turns, the most long ones, and the middle."""
    thresholds = thresholds_in_force()
    fewest, most = thresholds.turns_target
    assistant, user = thresholds.assistant_words(tier), thresholds.user_words
    low = fewest / 2 * (assistant.lowest + user.lowest) * TOKENS_PER_WORD
    high = most / 2 * (assistant.highest + user.highest) * TOKENS_PER_WORD
    per_exchange = (assistant.lowest + assistant.highest + user.lowest + user.highest) / 2
    return Expected(round(low), round((fewest + most) / 4 * per_exchange * TOKENS_PER_WORD), round(high), replies=0)
