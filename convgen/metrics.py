"""`/metrics` for Prometheus. Each app registers what it measures, in its `AppConfig.ready`:

    metrics.register(RateLimitCollector())

A collector reads the database when it is asked, so that every process of an installation tells the same. Whoever knows
`METRICS_TOKEN` may read; without that setting there is no such page.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()  # of our own: that of the library measures one process


def register(collector: Collector) -> None:
    """Have its metrics told. Raises `ValueError` when another one tells a metric of that name; see its `describe`."""
    REGISTRY.register(collector)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        refusal = "Send the header “Authorization: Bearer …” with the value of METRICS_TOKEN.\n"
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse(refusal, status=401, content_type="text/plain; charset=utf-8", headers=headers)
    return HttpResponse(
        generate_latest(REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"}
    )
