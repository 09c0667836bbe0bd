"""Who sees which rows: superusers see all, other staff those of the workspaces that they are members of.

`WorkspaceRowAdmin` is the base of every page that shows rows of a workspace. It narrows the list, the detail, the
actions and the choices of foreign keys, and sets the workspace of new rows. Whoever sees one workspace only never
meets the word.
"""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import JSONField, QuerySet, TextField
from django.http import HttpRequest

from conversations.admin.fields import PlainTextarea, json_form_field
from conversations.models import Membership, Workspace, WorkspaceRow
from convgen.models import User


def signed_in(request: HttpRequest) -> User:
    """The person: every page of the admin asks for one."""
    return cast(User, request.user)


def visible_workspaces(user: Any) -> QuerySet[Workspace]:
    """The workspaces that a person may work in; the default one first."""
    workspaces = Workspace.objects.order_by("-is_default", "name")
    if user.is_superuser:
        return workspaces
    return workspaces.filter(pk__in=Membership.objects.filter(user=user).values("workspace"))


def visible(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """The rows, each of a workspace, that a person may see."""
    return rows if user.is_superuser else rows.filter(workspace__in=visible_workspaces(user).order_by())


def sees_several(request: HttpRequest) -> bool:
    """Whether the person has to be told workspaces apart. Asked once for each request."""
    known: bool | None = getattr(request, "sees_several_workspaces", None)
    if known is None:
        known = len(visible_workspaces(request.user)[:2]) > 1
        request.sees_several_workspaces = known  # type: ignore[attr-defined]
    return known


def _visible_of(model: type[Workspace | WorkspaceRow], request: HttpRequest) -> QuerySet[Any]:
    if model is Workspace:
        return visible_workspaces(request.user)
    return visible(model._default_manager.all(), request.user)


class VisibleRelatedFilter(admin.RelatedFieldListFilter):
    """A filter by foreign key that offers only what the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = _visible_of(field.related_model, request)
        ordering = self.field_admin_ordering(field, request, model_admin)
        seen = {"pk__in": rows.order_by().values("pk")}
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=seen)


class VisibleChoices(BaseModelAdmin):
    """Narrows the choices of foreign keys, in a page as in an inline; and takes texts and JSON as people write them."""

    formfield_overrides = {TextField: {"widget": PlainTextarea}}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if issubclass(db_field.related_model, Workspace | WorkspaceRow):
            kwargs["queryset"] = _visible_of(db_field.related_model, request)
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


class WorkspaceRowAdmin(VisibleChoices, admin.ModelAdmin):
    form = WorkspaceRowForm
    list_select_related: ClassVar[Any] = []
    show_full_result_count = False  # it would count the whole table for each page
    list_per_page = 50

    class Media:
        css = {"all": ["conversations/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(super().get_queryset(request), request.user)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return [*columns, "workspace"] if sees_several(request) else columns

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        workspace = ["workspace"] if sees_several(request) else []
        return [*self.list_select_related, *workspace]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters = list(super().get_list_filter(request))
        return [*filters, ("workspace", VisibleRelatedFilter)] if sees_several(request) else filters

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and visible_workspaces(request.user).exists()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        if field := form.base_fields.get("workspace"):
            self._settle_workspace(field, request, change)
        return form

    def _settle_workspace(self, field: forms.Field, request: HttpRequest, change: bool) -> None:
        """Offer a choice only on creation, and only to those who have one. A row never moves to another workspace."""
        several = sees_several(request)
        field.required = False
        field.disabled = change or not several  # disabled: its initial value is used, whatever is posted
        field.initial = visible_workspaces(request.user).first()
        if not several:
            field.widget = forms.HiddenInput()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Rows of an inline belong to the workspace of their parent."""
        for child in formset.forms:
            child.instance.workspace_id = form.instance.workspace_id
        super().save_formset(request, form, formset, change)
