from django.contrib import admin
from django.urls import path

from batches.dashboard.view import dashboard, running

urlpatterns = [
    path("", admin.site.admin_view(dashboard), name="index"),
    path("running/", admin.site.admin_view(running), name="dashboard_running"),
]
