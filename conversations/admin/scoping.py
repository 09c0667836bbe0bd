"""The admin's pages show the rows of the scope: of the workspace that the person works in.

PostgreSQL lets no other rows through. `WorkspaceRowAdmin`, the base of every page that shows rows of a workspace, asks
for that workspace all the same, since a policy alone finds no index. It narrows the list, the detail, the actions and
the choices of foreign keys, and sets the workspace of new rows. The workspace is shown to superusers who look at all
of them; nobody else has to tell them apart.
"""

from typing import Any, ClassVar, cast
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import JSONField, QuerySet, TextField
from django.http import HttpRequest

from conversations.admin.fields import PlainTextarea, json_form_field
from conversations.choosing import workspaces_of
from conversations.models import Workspace, WorkspaceRow
from convgen.models import User
from convgen.tenancy import EVERY, current_scope

ELSEWHERE = "You have switched to another workspace since this page was opened. Open it again to work here."


def signed_in(request: HttpRequest) -> User:
    """The person: every page of the admin asks for one."""
    return cast(User, request.user)


def visible(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows of the scope; the rows are workspaces, or each of one."""
    scope = current_scope()
    if isinstance(scope, UUID):
        return rows.filter(**{"pk" if rows.model is Workspace else "workspace": scope})
    return rows if scope is EVERY else rows.none()


def sees_several() -> bool:
    """Whether the person has to be told workspaces apart."""
    return current_scope() is EVERY


class VisibleRelatedFilter(admin.RelatedFieldListFilter):
    """A filter by foreign key that offers only what the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = visible(field.related_model._default_manager.all())
        ordering = self.field_admin_ordering(field, request, model_admin)
        seen = {"pk__in": rows.order_by().values("pk")}
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=seen)


class VisibleChoices(BaseModelAdmin):
    """Narrows the choices of foreign keys, in a page as in an inline; and takes texts and JSON as people write them."""

    formfield_overrides = {TextField: {"widget": PlainTextarea}}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if issubclass(db_field.related_model, Workspace | WorkspaceRow):
            kwargs["queryset"] = visible(db_field.related_model._default_manager.all())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, JSONField):
            return json_form_field(db_field)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class WorkspaceRowForm(forms.ModelForm):
    def clean_workspace(self) -> Workspace:
        """The workspace chosen; without a choice, the person's first one."""
        chosen: Workspace = self.cleaned_data["workspace"] or self.fields["workspace"].initial
        return chosen

    def clean(self) -> dict[str, Any]:
        """A new row must not land in another workspace than that in which its page was opened."""
        cleaned = super().clean() or {}
        field = self.fields.get("workspace")
        if field and field.widget.is_hidden and "workspace" in self.errors:
            self.add_error(None, ELSEWHERE)
        return cleaned


class WorkspaceRowAdmin(VisibleChoices, admin.ModelAdmin):
    form = WorkspaceRowForm
    list_select_related: ClassVar[Any] = []
    show_full_result_count = False  # it would count the whole table for each page
    list_per_page = 50

    class Media:
        css = {"all": ["conversations/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return [*columns, "workspace"] if sees_several() else columns

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        workspace = ["workspace"] if sees_several() else []
        return [*self.list_select_related, *workspace]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters = list(super().get_list_filter(request))
        return [*filters, ("workspace", VisibleRelatedFilter)] if sees_several() else filters

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and bool(workspaces_of(request).choices)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        if field := form.base_fields.get("workspace"):
            self._settle_workspace(field, request, change)
        return form

    def _settle_workspace(self, field: forms.Field, request: HttpRequest, change: bool) -> None:
        """Offer a choice only on creation, and only to those who have one. A row never moves to another workspace."""
        workspaces = workspaces_of(request)
        field.required = False
        field.disabled = change  # disabled: its initial value is used, whatever is posted
        field.initial = workspaces.current or next(iter(workspaces.choices), None)
        if not sees_several():
            field.widget = forms.HiddenInput()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Rows of an inline belong to the workspace of their parent."""
        for child in formset.forms:
            child.instance.workspace_id = form.instance.workspace_id
        super().save_formset(request, form, formset, change)
