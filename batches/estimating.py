"""What a batch will cost, and how long it will take, before it is started; both deliveries, to be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any

from batches.choices import Delivery
from batches.expecting import Expectation, Source, expect
from batches.pacing import NOTHING, Load, limits_in_force, seconds_for
from batches.spans import Span, at_each_end
from conversations.models import Conversation, PromptTemplate
from generation.answers import Usage
from generation.configuration import configuration_of
from generation.errors import PromptUnresolved
from generation.forecast import prompt_tokens
from generation.history import Asked, History
from generation.pricing import SIX_PLACES, cost_of
from generation.request import build_request, descriptions

if TYPE_CHECKING:
    from batches.planning import Order

# Message Batches are answered within a day, most of them within an hour (Anthropic's page “Batch processing”).
ECONOMY_SECONDS = Span(0.0, 3_600.0, 86_400.0)
FREE = Span(Decimal(0), Decimal(0), Decimal(0))  # USD


@dataclass(frozen=True)
class Group:
    """The conversations of one template and tier, and one of them, loaded, to tell by."""

    template: PromptTemplate | None
    tier: str
    size: int
    sample: Conversation


@dataclass(frozen=True)
class GroupEstimate:
    """USD in each delivery; `problem` when its prompts cannot be completed, so that it would fail, and cost nothing."""

    group: Group
    usd: Mapping[Delivery, Span[Decimal]]
    model: str
    source: Source = Source.NOTHING
    price_assumed: bool = False
    problem: str = ""
    input_tokens: float = 0
    output_tokens: float = 0
    loads: tuple[Load, Load, Load] = (NOTHING, NOTHING, NOTHING)  # low, likely, high


@dataclass(frozen=True)
class Estimate:
    """USD and seconds are spans: low, likely, high."""

    groups: Sequence[GroupEstimate]
    simulated: bool
    live_seconds: Span[float]

    @property
    def conversations(self) -> int:
        return sum(each.group.size for each in self.groups)

    @property
    def known(self) -> float:
        """The share of conversations, 0 to 1, whose template's or tier's history tells what they take."""
        known = sum(each.group.size for each in self.groups if each.source is not Source.NOTHING)
        return known / self.conversations if self.conversations else 0.0

    @property
    def price_assumed(self) -> bool:
        return any(each.price_assumed for each in self.groups)

    def usd(self, delivery: str) -> Span[Decimal]:
        return sum((each.usd[Delivery(delivery)] for each in self.groups), FREE)

    def seconds(self, delivery: str) -> Span[float]:
        return ECONOMY_SECONDS if delivery == Delivery.ECONOMY else self.live_seconds

    def as_json(self) -> dict[str, Any]:
        """What a job keeps of it.

        `conversations`, `simulated`, `known_from_history` (a share, 0 to 1), `price_assumed`, `tokens` (likely: `input`
        with what is cached, `output`), and by delivery (`live`, `economy`) `cost_usd` and `seconds`, each with `low`,
        `likely` and `high`; USD as text.
        """
        return {
            "conversations": self.conversations,
            "simulated": self.simulated,
            "known_from_history": round(self.known, 3),
            "price_assumed": self.price_assumed,
            "tokens": {
                "input": round(sum(each.input_tokens for each in self.groups)),
                "output": round(sum(each.output_tokens for each in self.groups)),
            },
            **{
                delivery.value: {
                    "cost_usd": self.usd(delivery).as_json(),
                    "seconds": self.seconds(delivery).as_json(),
                }
                for delivery in Delivery
            },
        }


def estimate(order: "Order", groups: Sequence[Group]) -> Estimate:
    """From the log's latest attempts; the number of queries does not depend on how many groups there are."""
    history = History(order.workspace.pk, [group.template.pk for group in groups if group.template])
    estimator = Estimator(order, history, descriptions(order.workspace.pk), templates=max(1, len(groups)))
    total = sum(group.size for group in groups)
    estimated = [estimator.of(group, in_flight=min(order.concurrency, total)) for group in groups]
    limits = limits_in_force()
    seconds = [
        seconds_for(sum(loads, NOTHING), concurrency=order.concurrency, limits=limits)
        for loads in zip(*(each.loads for each in estimated), strict=True)
    ]
    return Estimate(estimated, history.simulated, Span(*seconds) if seconds else Span(0.0, 0.0, 0.0))


@dataclass(frozen=True)
class Estimator:
    order: "Order"
    history: History
    described: Mapping[tuple[str, str], str]
    templates: int  # that take turns in the batch

    def of(self, group: Group, *, in_flight: int) -> GroupEstimate:
        nothing = dict.fromkeys(Delivery, FREE)
        if group.template is None:
            return GroupEstimate(group, nothing, "", problem="The template was deleted.")
        configuration = configuration_of([self.order.overrides, group.template, self.order.workspace])
        try:
            request = build_request(
                group.sample,
                configuration=configuration,
                described=self.described,
                shared=self.order.shared_parameters,
            )
        except PromptUnresolved as error:
            return GroupEstimate(group, nothing, configuration.model, problem=str(error))
        expected = expect(
            group.template,
            group.tier,
            Asked.by(configuration),
            self.history,
            prompt_tokens=prompt_tokens(request),
            size=group.size,
        )
        # Of a template's first requests, those that are in flight side by side all write the cache.
        writes = 0 if expected.prompt.cache_is_warm else min(group.size, ceil(in_flight / self.templates))
        return self._estimated(group, configuration.model, expected, writes)

    def _estimated(self, group: Group, model: str, expected: Expectation, writes: int) -> GroupEstimate:
        size, cached = group.size, expected.prompt.cached

        def live(prompt: float, output: float, paid: float) -> Decimal:
            plain = prompt - cached
            reading = _usd(model, plain, output, cache_read=cached)
            writing = _usd(model, plain, output, cache_write=cached)
            return _rounded(reading * Decimal(max(0.0, size * paid - writes)) + writing * writes)

        def economy(prompt: float, output: float, paid: float) -> Decimal:
            return _rounded(_usd(model, prompt, output, in_message_batch=True) * Decimal(size * paid))

        def load(prompt: float, output: float, paid: float, requests: float, seconds: float) -> Load:
            counted = size * paid * (prompt - cached) + writes * cached
            return Load(size * requests, counted, size * paid * output, size * requests * seconds)

        asked = (expected.prompt.tokens, expected.output, expected.paid)
        usd = {
            Delivery.LIVE: Span(*at_each_end(live, *asked)),
            Delivery.ECONOMY: Span(*at_each_end(economy, *asked)),
        }
        paid = size * expected.paid.likely
        return GroupEstimate(
            group,
            usd,
            model,
            expected.source,
            price_assumed=cost_of(model, Usage()).assumed,
            input_tokens=paid * expected.prompt.tokens.likely,
            output_tokens=paid * expected.output.likely,
            loads=at_each_end(load, *asked, expected.requests, expected.seconds),
        )


def _usd(model: str, plain: float, output: float, *, in_message_batch: bool = False, **cached: float) -> Decimal:
    """Of one request; tokens that are cached by name, as in `Usage`."""
    usage = Usage(round(plain), round(output), **{name: round(tokens) for name, tokens in cached.items()})
    return cost_of(model, usage, in_message_batch=in_message_batch).usd


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(SIX_PLACES)
