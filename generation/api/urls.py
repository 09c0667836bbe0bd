from django.urls import path
from rest_framework.routers import SimpleRouter

from generation.api.logs import GenerationLogViewSet
from generation.api.previewing import PreviewView
from generation.api.rate_limit import RateLimitView
from generation.api.templates import TemplateViewSet
from generation.api.trying import ResolveView, TryOutView
from generation.api.workspaces import WorkspacesViewSet

router = SimpleRouter(use_regex_path=False)
router.register("generation-logs", GenerationLogViewSet, basename="api-generation-log")
router.register("templates", TemplateViewSet, basename="api-template")
router.register("workspaces", WorkspacesViewSet, basename="api-workspace")

urlpatterns = [
    path("conversations/preview/", PreviewView.as_view(), name="api-preview"),
    path("templates/<uuid:id>/resolve/", ResolveView.as_view(), name="api-template-resolve"),
    path("templates/<uuid:id>/test/", TryOutView.as_view(), name="api-template-test"),
    path("rate-limit/", RateLimitView.as_view(), name="api-rate-limit"),
    *router.urls,
]
