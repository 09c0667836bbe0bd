from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from convgen.metrics import metrics

FAVICON = lazy(static, str)("convgen/favicon.svg")  # its name is known once static files are collected

urlpatterns = [
    path("api/", include("convgen.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("conversations.urls")),
    path("metrics", metrics, name="metrics"),
    path("favicon.ico", RedirectView.as_view(url=FAVICON)),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
