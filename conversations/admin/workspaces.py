from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from conversations.admin.scoping import VisibleChoices, WorkspaceRowAdmin, signed_in, visible_workspaces
from conversations.choices import Role
from conversations.models import Membership, Workspace


class MembershipFormSet(BaseInlineFormSet):
    @classmethod
    def get_default_prefix(cls) -> str:
        """A workspace has no accessor for its rows, from which Django would take the name of the form's fields."""
        return "memberships"


class MembershipInline(admin.TabularInline):
    model = Membership
    formset = MembershipFormSet
    fields = ["user", "role"]
    autocomplete_fields = ["user"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")


@admin.register(Workspace)
class WorkspaceAdmin(VisibleChoices, admin.ModelAdmin):
    list_display = ["name", "slug", "is_default", "created_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "description", "training_system_prompt", "is_default"]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(pk__in=visible_workspaces(request.user).values("pk"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Whoever makes a workspace is its first lead; she could not see it otherwise."""
        super().save_related(request, form, formsets, change)
        if not change and not request.user.is_superuser:
            Membership.objects.get_or_create(
                workspace=form.instance, user=signed_in(request), defaults={"role": Role.LEAD.value}
            )


@admin.register(Membership)
class MembershipAdmin(WorkspaceRowAdmin):
    list_display = ["user", "role"]
    list_filter = ["role"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__first_name", "user__last_name", "user__email"]
    autocomplete_fields = ["user"]
    ordering = ["user__username"]
    fields = ["workspace", "user", "role"]
