from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from convgen.metrics import metrics

FAVICON = lazy(static, str)("convgen/favicon.svg")  # its name is known once static files are collected

# Our own pages are the admin's too: `admin:index` is the dashboard.
pages = [
    path("", include("batches.dashboard.urls")),
    path("", include("conversations.admin.urls")),
    *admin.site.get_urls(),
]

urlpatterns = [
    path("api/", include("convgen.api.urls")),
    path("admin/", include((pages, "admin"), namespace=admin.site.name)),
    path("", include("conversations.urls")),
    path("metrics", metrics, name="metrics"),
    path("favicon.ico", RedirectView.as_view(url=FAVICON)),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
