"""`/api/`: what the apps uphill add, the schema, and an answer in JSON for whatever is not there."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from convgen.api.missing import Missing
from convgen.api.reference import RedocView, Schema, SwaggerView
from convgen.api.root import Root
from convgen.api.tokens import TokenViewSet

router = SimpleRouter()
router.register("tokens", TokenViewSet, basename="api-token")

urlpatterns = [
    path("", Root.as_view(), name="api-root"),
    path("", include("batches.api.urls")),
    path("", include("generation.api.urls")),
    path("", include("conversations.api.urls")),
    *router.urls,
    path("schema/", Schema.as_view(), name="api-schema"),
    path("docs/", SwaggerView.as_view(), name="api-docs"),
    path("redoc/", RedocView.as_view(), name="api-redoc"),
    re_path(r"^(?P<rest>(?s:.*))$", Missing.as_view()),  # line breaks too
]
