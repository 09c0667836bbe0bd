from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import ManyToManyField, QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from convgen.admin_tokens import ApiTokenAdmin as ApiTokenAdmin
from convgen.models import User
from convgen.tenancy import EVERY, workspace_scope

admin.site.unregister(Group)


class Checkboxes(admin.ModelAdmin):
    """Many of many are ticked: Django's two lists side by side have no names, and cannot be read in all colours."""

    filter_horizontal = ()
    formfield_overrides = {ManyToManyField: {"widget": CheckboxSelectMultiple}}


@admin.register(Group)
class RoleAdmin(Checkboxes, GroupAdmin):
    purpose = "What those who have a role may do."


@admin.register(User)
class AccountAdmin(Checkboxes, UserAdmin):
    """Superusers manage accounts, and nobody else: whoever can change a user can make herself a superuser.

    Who has Django's permission to view users can find them by their names where one is to be chosen, and no more.
    """

    purpose = "Who can sign in. What they may do comes from their role in a workspace."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    # A user's traces lie in all workspaces, whichever one the superuser is in.

    @workspace_scope(EVERY)
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return super().get_deleted_objects(objs, request)

    @workspace_scope(EVERY)
    def delete_model(self, request: HttpRequest, obj: User) -> None:
        super().delete_model(request, obj)

    @workspace_scope(EVERY)
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        super().delete_queryset(request, queryset)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        match = request.resolver_match
        choosing = match is not None and match.url_name == "autocomplete"
        return bool(request.user.is_superuser) or (choosing and super().has_view_permission(request, obj))

    def get_search_fields(self, request: HttpRequest) -> Any:
        """To search by e-mail address is to ask whose it is."""
        return super().get_search_fields(request) if request.user.is_superuser else ["username"]
