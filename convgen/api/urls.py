"""`/api/`: what the apps uphill add, the schema, and an answer in JSON for whatever is not there."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from convgen.api.missing import Missing

urlpatterns = [
    path("", include("batches.api.urls")),
    path("", include("generation.api.urls")),
    path("", include("conversations.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    re_path(r"^(?P<rest>(?s:.*))$", Missing.as_view()),  # line breaks too
]
