from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString

from conversations.admin.display import badge
from conversations.admin.fields import pretty_json
from conversations.admin.lists import ReadOnlyAdmin
from conversations.models import Export


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "created_by", "format", "scope", "conversation_count", "size", "state"]
    list_filter = ["status", "format", "scope"]
    list_select_related = ["created_by"]
    search_fields = ["file", "created_by__username"]
    date_hierarchy = "created_at"
    fields = [
        "created_at",
        "created_by",
        "state",
        "format",
        "scope",
        "filters_in_words",
        "conversation_count",
        "size",
        "file",
        "expires_at",
        "workspace",
    ]

    @admin.display(description="size", ordering="byte_count")
    def size(self, export: Export) -> str:
        return filesizeformat(export.byte_count)

    @admin.display(description="status", ordering="status")
    def state(self, export: Export) -> SafeString:
        return badge(export.get_status_display(), export.status)

    @admin.display(description="filters")
    def filters_in_words(self, export: Export) -> SafeString:
        return pretty_json(export.filters)
