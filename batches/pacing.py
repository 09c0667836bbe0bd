"""How long a live batch takes: the slower of what the rate limits let through and what its calls in flight can do."""

from dataclasses import dataclass

from generation.endpoint import named_endpoint
from generation.limits import WINDOW
from generation.models import RateState


@dataclass(frozen=True)
class Load:
    """What a batch asks of Claude."""

    requests: float
    input_tokens: float  # as the limits count them: without what is read from the prompt cache
    output_tokens: float
    work: float  # seconds of all its calls, one after the other

    def __add__(self, other: "Load") -> "Load":
        return Load(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.work + other.work,
        )


NOTHING = Load(0, 0, 0, 0)


@dataclass(frozen=True)
class Limits:
    """What may be used in a window; None where no limit is known."""

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


def limits_in_force() -> Limits:
    """The settings', or what Claude's replies said of late where that is less."""
    named = named_endpoint()
    reported = ("reported_requests", "reported_input", "reported_output")
    said = RateState.objects.filter(pk=named.limit_key).values_list(*reported).first() or (None, None, None)
    return Limits(
        _smallest(named.requests_per_minute, said[0]),
        _smallest(named.input_tokens_per_minute or None, said[1]),
        _smallest(named.output_tokens_per_minute or None, said[2]),
    )


def seconds_for(load: Load, *, concurrency: int, limits: Limits) -> float:
    """From its start to its end, when nobody else uses the limits."""
    if not load.requests:
        return 0.0
    one = load.work / load.requests
    at_once = min(concurrency, load.requests)
    # At the end there are fewer left than could be in flight: half a call's time, on average.
    in_flight = load.work / at_once + one * (at_once - 1) / (2 * at_once)
    let_through = max(
        _until_let_through(load.requests, limits.requests),
        _until_let_through(load.input_tokens, limits.input_tokens),
        _until_let_through(load.output_tokens, limits.output_tokens),
    )
    return max(in_flight, let_through + one)


def _until_let_through(used: float, limit: int | None) -> float:
    """Seconds until the last may go: a whole window's worth goes at once."""
    return 0.0 if limit is None else WINDOW * max(0.0, used - limit) / limit


def _smallest(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
