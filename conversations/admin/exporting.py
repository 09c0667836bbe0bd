"""Where an export begins: what it takes, counted while that is chosen; and *Export* for conversations of the list."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from conversations.admin.acting import ActingAdmin, BarButton
from conversations.admin.confirming import Confirmation
from conversations.admin.scoping import ELSEWHERE, sees_several, signed_in, visible
from conversations.choices import WITH_TURNS, ExportFormat, Status
from conversations.choosing import workspaces_of
from conversations.exporting import TIERS, Choice, ExportError, export_choice, new_path
from conversations.models import Conversation, Export, Workspace
from convgen.dialogs import leave
from convgen.text import counted

NEW, DOWNLOAD = "conversations_export_new", "conversations_export_download"
MOST = 50_000  # conversations that a page exports while somebody waits: some 20 seconds
LARGER = (
    "These are {:,} conversations, and a page exports {:,} at most. Narrow the choice, or ask an engineer to run "
    "manage.py export_conversations."
)


def may_export(request: HttpRequest) -> bool:
    return request.user.has_perm("conversations.add_export")


class FormatForm(forms.Form):
    format = forms.ChoiceField(choices=ExportFormat.choices, initial=ExportFormat.OPENAI)
    include_simulated = forms.BooleanField(
        required=False,
        label="Include simulated conversations",
        help_text="Simulated Claude wrote them to try things out. They are not training data.",
    )


class ExportForm(FormatForm):
    workspace = forms.ModelChoiceField(
        Workspace.objects.none(), empty_label=None, error_messages={"invalid_choice": ELSEWHERE}
    )
    statuses = forms.MultipleChoiceField(
        choices=[(status.value, status.label) for status in reversed(WITH_TURNS)],
        label="Status",
        initial=[Status.APPROVED],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose one status at least."},
    )
    tier = forms.ChoiceField(choices=TIERS, initial="all")

    field_order = ["workspace", "statuses", "tier", "format", "include_simulated"]

    def __init__(self, data: Any, *, request: HttpRequest) -> None:
        super().__init__(data, label_suffix="")
        workspaces = workspaces_of(request)
        workspace = self.fields["workspace"]
        workspace.queryset = visible(Workspace.objects.order_by("name"))  # type: ignore[attr-defined]
        workspace.initial = workspaces.current or next(iter(workspaces.choices), None)
        if not sees_several():
            workspace.widget = forms.HiddenInput()

    def choice(self) -> Choice:
        given = self.cleaned_data
        return Choice(given["statuses"], given["tier"], given["include_simulated"])


def new_view(request: HttpRequest) -> HttpResponse:
    """The form, with the number of conversations that it would take as it stands; and the export."""
    if not may_export(request):
        raise PermissionDenied
    if request.method == "POST":
        form = ExportForm(request.POST, request=request)
        if form.is_valid() and (export := _exported(request, form)):
            return _led_on(request, export)
    else:
        form = _form_to_begin_with(request)
    context = {
        **admin.site.each_context(request),
        "title": "Export conversations",
        "opts": Export._meta,
        "form": form,
        "counts": form.choice().count(form.cleaned_data["workspace"]) if form.is_valid() else None,
        "most": MOST,
    }
    return TemplateResponse(request, "conversations/export.html", context)


def _form_to_begin_with(request: HttpRequest) -> ExportForm:
    """Filled in as the address says; else as most want it."""
    if request.GET:
        return ExportForm(request.GET, request=request)
    blank = ExportForm(None, request=request)
    initial = {name: blank.get_initial_for_field(field, name) for name, field in blank.fields.items()}
    workspace = initial["workspace"]
    return ExportForm({**initial, "workspace": workspace.pk if workspace else None}, request=request)


def _exported(request: HttpRequest, form: ExportForm) -> Export | None:
    try:
        return export_for(request, form.cleaned_data["workspace"], form.choice(), form.cleaned_data["format"])
    except ExportError as error:
        form.add_error(None, getattr(error, "reason", str(error)))
        return None


def export_for(request: HttpRequest, workspace: Workspace, choice: Choice, file_format: str) -> Export:
    """Raises `ExportError`, also when a page should not wait for so many."""
    number = choice.count(workspace).taken
    if number > MOST:
        raise ExportError(LARGER.format(number, MOST))
    path = new_path(workspace, file_format=file_format, scope=choice.scope)
    return export_choice(workspace, choice, path=path, file_format=file_format, created_by=signed_in(request))


def _led_on(request: HttpRequest, export: Export) -> HttpResponse:
    """To the history, whose first row it is now."""
    skipped = f" {len(export.skipped):,} left out as no valid example." if export.skipped else ""
    told = format_html(
        '{} exported.{} <a href="{}">Download the file</a>',
        counted(export.conversation_count, "conversation"),
        skipped,
        reverse(f"admin:{DOWNLOAD}", args=[export.pk]),
    )
    messages.success(request, told)
    return leave(request, reverse("admin:conversations_export_changelist"))


class ExportingAdmin(ActingAdmin):
    """The list of conversations with *Export*, for all that an export may take and for those that are chosen."""

    bar = {"export": BarButton("Export", "exports")}

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may_export(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        button = {"export_url": reverse(f"admin:{NEW}")} if may_export(request) else {}
        return super().changelist_view(request, {**button, **(extra_context or {})})

    @admin.action(description="Export", permissions=["export"])
    def export(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> HttpResponse | None:
        workspaces = set(conversations.order_by().values_list("workspace", flat=True).distinct())
        if len(workspaces) != 1:
            self.message_user(request, "Choose conversations of one workspace: a file has only one.", messages.ERROR)
            return None
        asked = self._asked(request, conversations)
        if not asked.agreed(request):
            return self.confirm(request, asked)
        return self._export(request, workspaces.pop(), conversations, asked)

    def _export(
        self, request: HttpRequest, workspace: UUID, conversations: QuerySet[Conversation], asked: Confirmation
    ) -> HttpResponse | None:
        given = asked.form.cleaned_data if asked.form else {}
        keys = list(conversations.filter(conversation_id__in=asked.taken).values_list("pk", flat=True))
        choice = Choice([each.value for each in WITH_TURNS], "all", given["include_simulated"], keys)
        try:
            export = export_for(request, Workspace.objects.get(pk=workspace), choice, given["format"])
        except ExportError as error:
            self.message_user(request, getattr(error, "reason", str(error)), messages.ERROR)
            return None
        return _led_on(request, export)

    def _asked(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> Confirmation:
        form = FormatForm(request.POST if "agreed" in request.POST else None, label_suffix="")
        taken, refused, simulated = [], {}, 0
        rows = conversations.order_by("conversation_id").values_list("conversation_id", "status", "simulated")
        for readable_id, status, is_simulated in rows:
            if status in WITH_TURNS:
                taken.append(readable_id)
                simulated += is_simulated
            else:
                refused[readable_id] = f"{Status(status).label}: only what is written and in use is exported."
        return Confirmation(
            action="export",
            title=f"Export {taken[0] if len(taken) == 1 else counted(len(taken), 'conversation')}?",
            consequence="They are written to a file, which stays in the history of exports for download.",
            button="Export" if len(taken) == 1 else f"Export {len(taken):,}",
            taken=taken,
            refused=refused,
            form=form,
            warnings=[_simulated(simulated)] if simulated else [],
        )


def _simulated(number: int) -> str:
    are = "is" if number == 1 else "are"
    return f"{number:,} of them {are} simulated, and left out unless you include simulated conversations."
