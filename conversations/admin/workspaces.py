"""Workspaces and their members. `generation/admin.py` adds how Claude is asked, and registers the workspace.

Superusers add and delete workspaces, and give them their slugs. Leads keep the rest of their own, members included.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from conversations.admin.inlines import NamedFields
from conversations.admin.scoping import VisibleChoices, WorkspaceRowAdmin, visible
from conversations.authentication import role_of
from conversations.choices import Role
from conversations.choosing import SESSION_KEY
from conversations.models import Membership, Workspace
from convgen.tenancy import EVERY, workspace_scope


class ManagedByLeads(BaseModelAdmin):
    """Nobody gives a role above her own: a lead's is the highest, and no other role gives any.

    Permissions that a user has beside her role do not count here. They would let a curator make herself a lead.
    """

    def has_add_permission(self, request: HttpRequest, *obj: Any) -> bool:
        return _leads(request) and super().has_add_permission(request, *obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _leads(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _leads(request) and super().has_delete_permission(request, obj)


def _leads(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser) or role_of(request.user) == Role.LEAD


class MembershipFormSet(NamedFields):
    @classmethod
    def get_default_prefix(cls) -> str:
        """A workspace has no accessor for its rows, from which Django would take the name of the form's fields."""
        return "memberships"


class MembershipInline(ManagedByLeads, admin.TabularInline):
    model = Membership
    formset = MembershipFormSet
    fields = ["user", "role"]
    autocomplete_fields = ["user"]
    extra = 0

    class Media:
        js = ["convgen/autocomplete.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")


class WorkspaceForm(forms.ModelForm):
    """Compares the slug, and the mark of the default one, with all workspaces: the scope hides the others."""

    def _post_clean(self) -> None:
        with workspace_scope(EVERY):
            super()._post_clean()  # type: ignore[misc]  # the stubs lack it


class WorkspaceAdmin(VisibleChoices, admin.ModelAdmin):
    purpose = "Each workspace has its own templates, conversations and people, and sees nothing of the others."
    form = WorkspaceForm
    list_display = ["name", "slug", "is_default", "created_at"]
    search_fields = ["name", "slug"]
    fieldsets = [(None, {"fields": ["name", "slug", "description", "training_system_prompt", "is_default"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(super().get_queryset(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> None:
        """One by one: a workspace takes the records of its exports along, which nothing else does."""
        for workspace in queryset:
            workspace.delete()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What the whole installation goes by."""
        return [] if request.user.is_superuser else ["slug", "is_default"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else {"slug": ["name"]}

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """A new workspace takes in its first members by itself (`conversations/joining.py`)."""
        return [MembershipInline] if obj else []

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new workspace lies in no scope but that of all."""
        with workspace_scope(EVERY):
            return super().add_view(request, form_url, extra_context)

    def response_add(self, request: HttpRequest, obj: Workspace, post_url_continue: Any = None) -> HttpResponse:
        """Whoever made a workspace goes on in it."""
        request.session[SESSION_KEY] = obj.slug
        return super().response_add(request, obj, post_url_continue)


@admin.register(Membership)
class MembershipAdmin(ManagedByLeads, WorkspaceRowAdmin):
    purpose = "Who works in which workspace, and in which role."
    list_display = ["user", "role"]
    list_filter = ["role"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    autocomplete_fields = ["user"]
    ordering = ["user__username"]
    fields = ["workspace", "user", "role"]

    class Media:
        js = ["convgen/autocomplete.js"]
