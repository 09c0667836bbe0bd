"""`/api/`: what the apps uphill add, the schema, and an answer in JSON for whatever is not there."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from convgen.api.missing import Missing
from convgen.api.tokens import TokenViewSet

router = SimpleRouter()
router.register("tokens", TokenViewSet, basename="api-token")

urlpatterns = [
    path("", include("batches.api.urls")),
    path("", include("generation.api.urls")),
    path("", include("conversations.api.urls")),
    *router.urls,
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    re_path(r"^(?P<rest>.*)$", Missing.as_view()),
]
