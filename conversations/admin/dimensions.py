from django.contrib import admin
from django.utils.text import Truncator

from conversations.admin.scoping import WorkspaceRowAdmin
from conversations.models import Dimension


@admin.register(Dimension)
class DimensionAdmin(WorkspaceRowAdmin):
    purpose = (
        "What conversations differ in: persona, emotion, topic, intent and tone. Claude is given the "
        "descriptions of those that a conversation takes."
    )
    list_display = ["name", "kind", "description_start", "active", "position"]
    list_filter = ["kind", "active"]
    search_fields = ["name", "description"]
    ordering = ["kind", "position", "name"]
    fields = ["workspace", "kind", "name", "description", "attributes", "active", "position"]

    @admin.display(description="description")
    def description_start(self, dimension: Dimension) -> str:
        return Truncator(dimension.description).words(16)
