"""What Prometheus is told of the rate limits. `docs/operators.md` lists the metrics."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from generation.priority import Priority
from generation.rate_overview import RateOverview, rate_overviews

KEY = ["address", "key"]

LIMIT = "convgen_rate_limit"
USED = "convgen_rate_limit_used"
REMAINING = "convgen_rate_limit_remaining"
WAITING = "convgen_rate_limit_waiting"
LONGEST_WAIT = "convgen_rate_limit_longest_wait_seconds"
BLOCKED = "convgen_rate_limit_blocked_seconds"
GRANTED = "convgen_rate_limit_granted"  # Prometheus adds `_total` to counters
REFUSED = "convgen_rate_limit_refused"

Family = GaugeMetricFamily | CounterMetricFamily


class RateLimitCollector(Collector):
    """The limits of each key, as the database has them: every process tells the same."""

    def describe(self) -> Iterator[Metric]:
        """Without asking the database, which may not be there yet."""
        yield from _families().values()

    def collect(self) -> Iterator[Metric]:
        families = _families()
        for overview in rate_overviews():
            for name, labels, value in _samples(overview):
                families[name].add_metric([overview.state.address, overview.state.key[:6], *labels], value)
        yield from families.values()


def _families() -> dict[str, Family]:
    return {
        LIMIT: GaugeMetricFamily(LIMIT, "What is allowed in a minute.", labels=[*KEY, "kind"]),
        USED: GaugeMetricFamily(USED, "What of it counts at the moment.", labels=[*KEY, "kind"]),
        REMAINING: GaugeMetricFamily(REMAINING, "What of it is left.", labels=[*KEY, "kind"]),
        WAITING: GaugeMetricFamily(WAITING, "How many wait for room.", labels=[*KEY, "priority"]),
        LONGEST_WAIT: GaugeMetricFamily(LONGEST_WAIT, "For how long one of them has waited.", labels=KEY),
        BLOCKED: GaugeMetricFamily(BLOCKED, "For how long Claude asks everybody to wait.", labels=KEY),
        GRANTED: CounterMetricFamily(GRANTED, "Requests let through.", labels=KEY),
        REFUSED: CounterMetricFamily(REFUSED, "Requests that Claude answered with 429.", labels=KEY),
    }


def _samples(overview: RateOverview) -> Iterator[tuple[str, list[str], float]]:
    """Metric, labels beside the key's, and value."""
    for use in overview.uses:
        if use.limit is not None and use.left is not None:
            yield LIMIT, [use.kind], use.limit
            yield USED, [use.kind], use.used
            yield REMAINING, [use.kind], use.left
    for priority in Priority:
        yield WAITING, [priority.value], overview.waiting_with(priority)
    yield LONGEST_WAIT, [], overview.longest_wait
    yield BLOCKED, [], overview.blocked_for
    yield GRANTED, [], overview.state.granted
    yield REFUSED, [], overview.state.refused
