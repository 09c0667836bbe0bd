"""The ways into the wizard: the button *Generate* above lists, conversations that were selected, failed ones."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from batches.choices import Selection
from batches.wizard import preview
from batches.wizard.order_form import form_for
from batches.wizard.steps import may_generate, plan_url
from batches.wizard.urls import urls
from conversations.models import Conversation, Workspace


def generate_these(request: HttpRequest, workspace: Workspace, conversations: QuerySet[Conversation]) -> HttpResponse:
    """The plan for conversations that were selected in a list, with *Back* to how they are generated."""
    ids = conversations.order_by("conversation_id").values_list("conversation_id", flat=True)
    chosen = {"selection": Selection.CHOSEN.value, "chosen": "\n".join(ids), "workspace": workspace.pk}
    form = form_for(request, chosen)
    return preview.page(request, form, preview.proposed(request, form))


class GeneratingListAdmin(admin.ModelAdmin):
    """A list with the button *Generate*, for those who may."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        button = {"generate_url": plan_url()} if may_generate(request) else {}
        return super().changelist_view(request, {**(extra_context or {}), **button})


class PlanningAdmin(GeneratingListAdmin):
    """The pages of batches, with the wizard's."""

    def get_urls(self) -> list[URLPattern]:
        return [*urls(self.admin_site), *super().get_urls()]
