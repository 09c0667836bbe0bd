"""What Prometheus is told of batches. `docs/operators.md` lists the metrics."""

from collections import Counter
from collections.abc import Iterator
from statistics import fmean

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from batches.choices import ENDED, Delivery, JobStatus
from batches.comparison import compare
from batches.models import BatchJob
from convgen.tenancy import EVERY, workspace_scope

LATEST = 20  # ended batches of each delivery, by which estimates are judged

UNFINISHED = "convgen_batches_unfinished"
ESTIMATE_ERROR = "convgen_batch_estimate_error"
ESTIMATES = "convgen_batch_estimates_judged"


class BatchCollector(Collector):
    """Batches of all workspaces, as the database has them: every process tells the same."""

    def describe(self) -> Iterator[Metric]:
        """Without asking the database, which may not be there yet."""
        yield from _families().values()

    @workspace_scope(EVERY)
    def _tell(self, families: dict[str, GaugeMetricFamily]) -> None:
        unfinished = Counter(BatchJob.objects.exclude(status__in=ENDED).values_list("status", flat=True))
        for status in JobStatus:
            if status not in ENDED:
                families[UNFINISHED].add_metric([status.value], unfinished[status.value])
        for delivery in Delivery:
            errors = list(_errors(delivery))
            families[ESTIMATES].add_metric([delivery.value], len(errors))
            for kind, of_kind in (("cost", [cost for cost, _ in errors]), ("time", [time for _, time in errors])):
                if known := [error for error in of_kind if error is not None]:
                    families[ESTIMATE_ERROR].add_metric([delivery.value, kind], fmean(known))

    def collect(self) -> Iterator[Metric]:
        families = _families()
        self._tell(families)
        yield from families.values()


def _families() -> dict[str, GaugeMetricFamily]:
    off = "How far off the latest estimates were, as a share of what the batches came to, on average."
    return {
        UNFINISHED: GaugeMetricFamily(UNFINISHED, "Batches that have not ended.", labels=["status"]),
        ESTIMATE_ERROR: GaugeMetricFamily(ESTIMATE_ERROR, off, labels=["delivery", "kind"]),
        ESTIMATES: GaugeMetricFamily(ESTIMATES, "Batches by which estimates are judged.", labels=["delivery"]),
    }


def _errors(delivery: Delivery) -> Iterator[tuple[float | None, float | None]]:
    """Of cost and of time, of the latest ended batches that had an estimate. Economy foresees no more than “a day”."""
    judged = BatchJob.objects.filter(delivery=delivery, completed_at__isnull=False, completed_items__gt=0)
    judged = judged.exclude(estimate={}).order_by("-completed_at")
    columns = (
        "delivery",
        "status",
        "estimate",
        "started_at",
        "completed_at",
        "actual_cost_usd",
        "total_items",
        "completed_items",
    )
    for job in judged.only(*columns)[:LATEST]:
        if compared := compare(job):
            yield compared.usd.error, compared.seconds.error if delivery == Delivery.LIVE else None
