from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from convgen.metrics import metrics

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
    path("favicon.ico", RedirectView.as_view(url=f"/{settings.STATIC_URL.lstrip('/')}convgen/favicon.svg")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
