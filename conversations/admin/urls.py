"""Pages of the admin that are no model's. Their names are in the admin's namespace."""

from django.contrib import admin
from django.urls import path

from conversations.admin.coverage import coverage

urlpatterns = [path("coverage/", admin.site.admin_view(coverage), name="conversations_coverage")]
