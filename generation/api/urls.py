from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from generation.api.logs import GenerationLogViewSet
from generation.api.previewing import PreviewView
from generation.api.rate_limit import RateLimitView
from generation.api.templates import ResolveView, TryOutView

router = SimpleRouter(use_regex_path=False)
router.register("generation-logs", GenerationLogViewSet, basename="api-generation-log")

urlpatterns: list[URLPattern | URLResolver] = [
    path("conversations/preview/", PreviewView.as_view(), name="api-preview"),
    path("templates/<uuid:id>/resolve/", ResolveView.as_view(), name="api-template-resolve"),
    path("templates/<uuid:id>/test/", TryOutView.as_view(), name="api-template-test"),
    path("rate-limit/", RateLimitView.as_view(), name="api-rate-limit"),
    *router.urls,
]
