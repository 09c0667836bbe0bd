"""The history of exports: who took which data when, and its files."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations.admin.display import badge, simulated_badge
from conversations.admin.exporting import DOWNLOAD, NEW, may_export, new_view
from conversations.admin.lists import ReadOnlyAdmin
from conversations.api.file_response import FileInBlocks
from conversations.choices import Status, Tier
from conversations.exporting import FileElsewhere, file_of, is_here
from conversations.models import Export

SCOPES = {"all": "All that have turns", "chosen": "Chosen one by one"}


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "created_by", "format", "what", "conversation_count", "size", "download"]
    list_filter = ["status", "format", "scope"]
    list_select_related = ["created_by", "workspace"]
    search_fields = ["file", "created_by__username"]
    date_hierarchy = "created_at"
    fields = [
        "created_at",
        "created_by",
        "state",
        "format",
        "what",
        "filters_in_words",
        "conversation_count",
        "left_out",
        "size",
        "download",
        "expires_at",
        "workspace",
    ]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("new/", wrap(new_view), name=NEW),
            path("<uuid:pk>/download/", wrap(self.download_view), name=DOWNLOAD),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = super().get_list_display(request)
        return columns if may_export(request) else [name for name in columns if name != "download"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = list(super().get_fields(request, obj))
        return names if may_export(request) else [name for name in names if name != "download"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        button = {"export_url": reverse(f"admin:{NEW}")} if may_export(request) else {}
        return super().changelist_view(request, {**button, **(extra_context or {})})

    def download_view(self, request: HttpRequest, pk: UUID) -> Any:
        """To take the data along is what an export is: it takes the same permission."""
        if not may_export(request):
            raise PermissionDenied
        export = get_object_or_404(self.get_queryset(request).select_related("workspace"), pk=pk)
        try:
            file = file_of(export, export.workspace)
        except FileElsewhere as error:
            messages.error(request, str(error))
            return redirect("admin:conversations_export_changelist")
        return FileInBlocks(file.open("rb"), as_attachment=True, filename=file.name, content_type="application/jsonl")

    @admin.display(description="file")
    def download(self, export: Export) -> SafeString | str:
        if not is_here(export, export.workspace):
            return "no longer here"
        address = reverse(f"admin:{DOWNLOAD}", args=[export.pk])
        return format_html('<a href="{}" aria-label="Download {}">Download</a>', address, export)

    @admin.display(description="size", ordering="byte_count")
    def size(self, export: Export) -> str:
        return filesizeformat(export.byte_count)

    @admin.display(description="status", ordering="status")
    def state(self, export: Export) -> SafeString:
        return badge(export.get_status_display(), export.status)

    @admin.display(description="conversations taken", ordering="scope")
    def what(self, export: Export) -> SafeString:
        tier = f", {Tier(export.filters['tier']).label.lower()}" if "tier" in export.filters else ""
        mark = simulated_badge() if export.filters.get("include_simulated") else ""
        return format_html("{}{} {}", _statuses(export), tier, mark)

    @admin.display(description="which ones")
    def filters_in_words(self, export: Export) -> str:
        return ", ".join(export.filters.get("chosen", [])) or self.get_empty_value_display()

    @admin.display(description="left out")
    def left_out(self, export: Export) -> SafeString | str:
        """What was no valid example, and why."""
        if not export.skipped:
            return "none"
        return format_html_join("", "{}: {}.<br>", sorted(export.skipped.items()))


def _statuses(export: Export) -> str:
    if statuses := export.filters.get("statuses"):
        return ", ".join(str(Status(status).label) for status in statuses)
    return SCOPES.get(export.scope) or str(Status(export.scope).label)
