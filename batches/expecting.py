"""What one conversation of a template will take: tokens, requests and seconds.

The template's own latest attempts tell it best; then those of its tier in the workspace; then constants. The prompts of
a template are much alike: one attempt tells their length, where it takes several to tell how long replies are.
"""

from dataclasses import dataclass
from enum import Enum

from django.conf import settings

from batches.spans import Span, around
from conversations.models import PromptTemplate
from generation.forecast import usual_reply
from generation.history import Asked, Experience, History

# Seconds of a request while nothing is known: a reply of the usual length at the usual pace, half of it, twice of it.
SECONDS = Span(10.0, 20.0, 40.0)
# The upper end reckons with one conversation in ten that is asked, and paid, for once more than usual.
RETRIED = 0.1
# A prompt's tokens reckoned from its length may be so far off: other languages, names and numbers take more.
LENGTH_DOUBT = 0.25


class Source(Enum):
    """Where it is known from."""

    TEMPLATE = "template"
    TIER = "tier"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Prompt:
    """The input tokens of one request."""

    tokens: Span[float]  # cached or not
    cached: float = 0.0  # those of them that live requests keep in the prompt cache
    cache_is_warm: bool = False  # they are there already


@dataclass(frozen=True)
class Expectation:
    """Tokens and seconds of one request, and how many requests a conversation takes."""

    prompt: Prompt
    output: Span[float]  # tokens
    paid: Span[float]  # requests that are paid for, for each conversation
    requests: Span[float]  # requests, for each conversation
    seconds: Span[float]  # from sending to the whole reply
    source: Source


def expect(
    template: PromptTemplate, tier: str, asked: Asked, history: History, *, prompt_tokens: int, size: int
) -> Expectation:
    """For each of `size` conversations; `prompt_tokens` are those of one prompt as its length tells."""
    own = history.of_template(template.pk, asked)
    prompt = _prompt(own, size) or Prompt(around(prompt_tokens, LENGTH_DOUBT * prompt_tokens))
    if own.enough:
        return _known(own, history, size, Source.TEMPLATE, prompt)
    of_tier = history.of_tier(tier, asked)
    if of_tier.enough:
        # Another template may be longer altogether: that does not even out over many conversations.
        return _known(of_tier, history, 1, Source.TIER, prompt)
    usual = usual_reply(tier)
    return Expectation(
        prompt=prompt,
        output=Span(float(usual.low), float(usual.likely), float(usual.high)),
        paid=_retried(1.0),
        requests=_retried(1.0),
        seconds=_usual_seconds(history),
        source=Source.NOTHING,
    )


def _prompt(own: Experience, size: int) -> Prompt | None:
    """As the template's own attempts tell, if there are any."""
    if not own.paid:
        return None
    tokens = around(own.prompt.value, own.prompt.doubt(size))
    return Prompt(tokens, min(own.cached, tokens.low), own.cache_is_warm)


def _known(known: Experience, history: History, size: int, source: Source, prompt: Prompt) -> Expectation:
    seconds = known.seconds
    return Expectation(
        prompt=prompt,
        output=around(known.output.value, known.output.doubt(size)),
        paid=_retried(known.paid_each),
        requests=_retried(known.requests_each),
        seconds=around(seconds.value, seconds.doubt(size)) if seconds else _usual_seconds(history),
        source=source,
    )


def _usual_seconds(history: History) -> Span[float]:
    latency = settings.SIMULATED_CLAUDE_LATENCY  # an average, which it varies by half
    return around(latency, latency / 2) if history.simulated else SECONDS


def _retried(each: float) -> Span[float]:
    return Span(each, each, each + RETRIED)
