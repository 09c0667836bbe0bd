"""The page of a prompt template. `generation/admin.py` adds the form that can read prompts, and registers it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin

from conversations.admin.display import list_link
from conversations.admin.fields import LinesField, PlainTextarea
from conversations.admin.inlines import NamedFields
from conversations.admin.lists import LeanListAdmin
from conversations.admin.scoping import VisibleChoices, WorkspaceRowForm, signed_in, visible
from conversations.applicability import APPLICABLE, choosable
from conversations.choices import DimensionKind
from conversations.duplication import duplicate
from conversations.models import Dimension, PromptTemplate, TemplateApplicability
from conversations.models.conversation_queries import is_live


class PromptTemplateForm(WorkspaceRowForm):
    required_elements = LinesField(
        required=False,
        widget=PlainTextarea(attrs={"rows": 5}),
        help_text="One in each line: words that the assistant must say. Alternatives are divided by |, "
        "as in: emergency fund | rainy-day fund",
    )


class ApplicabilityFormSet(NamedFields):
    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            dimension = form.cleaned_data.get("dimension") if form.is_valid() else None
            if dimension and dimension.workspace_id != self.instance.workspace_id:
                form.add_error("dimension", f"“{dimension}” belongs to another workspace than the template.")


class ApplicabilityInline(VisibleChoices, admin.TabularInline):
    model = TemplateApplicability
    formset = ApplicabilityFormSet
    fields = ["dimension", "kind"]
    readonly_fields = ["kind"]
    classes = ["bare"]
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("dimension")
        return rows.order_by("dimension__kind", "dimension__position", "dimension__name")

    @admin.display(description="kind")
    def kind(self, applicability: TemplateApplicability) -> str:
        return applicability.dimension.get_kind_display() if applicability.dimension_id else ""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Read the choices once for all rows of the inline."""
        formset: Any = super().get_formset(request, obj, **kwargs)
        if field := formset.form.base_fields.get("dimension"):
            field.queryset = _applicable(field.queryset, obj)
            field.choices = [("", "---------"), *_by_kind(field.queryset)]
            field.widget.can_add_related = field.widget.can_change_related = field.widget.can_view_related = False
        return formset

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("conversations.view_prompttemplate") or self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("conversations.change_prompttemplate")

    has_add_permission = has_delete_permission = has_change_permission


def _applicable(dimensions: QuerySet[Dimension], template: PromptTemplate | None) -> QuerySet[Dimension]:
    """Active personas, emotions and topics of the template's workspace, and whatever it has chosen already."""
    rows = dimensions.filter(choosable(template))
    return rows if template is None else rows.filter(workspace=template.workspace_id)


def _by_kind(dimensions: QuerySet[Dimension]) -> list[tuple[str, list[tuple[Any, str]]]]:
    groups: dict[str, list[tuple[Any, str]]] = {kind.label: [] for kind in APPLICABLE}
    for dimension in dimensions.order_by("kind", "position", "name"):
        groups.setdefault(DimensionKind(dimension.kind).label, []).append((dimension.pk, dimension.name))
    return list(groups.items())


class PromptTemplateAdmin(LeanListAdmin, SimpleHistoryAdmin):
    purpose = (
        "A template says what Claude is asked to write. Its target is how many conversations the plan wants of it."
    )
    form = PromptTemplateForm
    list_display = ["name", "tier", "category", "target_count", "live_conversations", "active", "version"]
    list_filter = ["tier", "active", "category"]
    list_defer = PromptTemplate.LONG_TEXTS
    search_fields = ["name", "description", "category"]
    ordering = ["tier", "name"]
    readonly_fields = ["version", "usage_count", "created_at", "updated_at"]
    inlines = [ApplicabilityInline]
    actions = ["duplicate_selected"]
    history_list_display = ["version"]
    fieldsets = [
        (None, {"fields": ["workspace", "name", "description", "tier", "category", "target_count", "active"]}),
        ("Prompt", {"fields": ["system_prompt", "structure", "variables"]}),
        ("Style", {"fields": ["tone", "style_notes", "example_conversation"]}),
        ("Quality", {"fields": ["required_elements", "quality_threshold", "rating"]}),
        ("Record", {"fields": ["version", "usage_count", "created_at", "updated_at"], "classes": ["collapse"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        live = Count("conversations", filter=is_live("conversations__"))
        return super().get_queryset(request).annotate(live_count=live)

    def save_model(self, request: HttpRequest, obj: PromptTemplate, form: Any, change: bool) -> None:
        if not change:
            return super().save_model(request, obj, form, change)
        obj.save_edited(by=signed_in(request))

    @admin.display(description="live conversations", ordering="live_count")
    def live_conversations(self, template: Any) -> SafeString:
        return list_link("conversations_conversation", template.live_count, {"template__id__exact": template.pk})

    @admin.action(description="Duplicate selected templates", permissions=["add"])
    def duplicate_selected(self, request: HttpRequest, templates: QuerySet[PromptTemplate]) -> None:
        names = [
            duplicate(template, by=signed_in(request)).name for template in templates.prefetch_related("applicability")
        ]
        self.message_user(request, f"Duplicated, inactive for now: {', '.join(names)}.", messages.SUCCESS)

    # simple_history's own views ask for a permission, but not whose row it is.

    def get_history_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        return visible(super().get_history_queryset(request, *args, **kwargs))

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        records = visible(PromptTemplate.history.all())
        if not records.filter(history_id=version_id).exists():
            raise Http404
        response: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return response
