"""The admin, with pages of ours that belong to no app."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from convgen.navigation import entries_for


class Site(AdminSite):
    site_header = site_title = "convgen"
    index_title = "Training conversations"
    enable_nav_sidebar = False  # ours is templates/admin/navigation.html

    def get_urls(self) -> list[Any]:
        ours = [
            path("settings/", self.admin_view(self.settings_page), name="settings"),
            path("keyboard/", self.admin_view(self.keyboard_page), name="keyboard"),
        ]
        return [*ours, *super().get_urls()]

    def settings_page(self, request: HttpRequest) -> HttpResponse:
        """Where everything else is kept, app by app: all that the person may see."""
        context = {**self.each_context(request), "title": "Settings", "apps": self.get_app_list(request)}
        return TemplateResponse(request, "admin/settings.html", context)

    def keyboard_page(self, request: HttpRequest) -> HttpResponse:
        """What keys do."""
        context = {**self.each_context(request), "title": "Keyboard", "entries": entries_for(request)}
        return TemplateResponse(request, "admin/keyboard.html", context)
