"""The page that regenerates a conversation: its form, filled in with what the present version was made with."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from batches.planning import PlanError
from batches.regeneration import order
from conversations import versions
from conversations.admin.conversations import ConversationAdmin
from conversations.admin.display import page_link
from conversations.admin.pairs import PairsField
from conversations.admin.scoping import signed_in
from conversations.choices import DimensionKind
from conversations.models import Conversation, Dimension
from conversations.versions import CannotRegenerate, Chain
from generation.prompts import PromptError, Variable
from generation.request import variables_of

REGENERATE = "conversations_conversation_regenerate"
VARIABLE = "variable_"


class RegenerationForm(forms.Form):
    """What the next version is made with. `base` is the version that its fields are filled in from."""

    def __init__(self, data: Any, *, base: Conversation) -> None:
        super().__init__(data)
        self.base = base
        self.variables = _variables(base)
        for kind, names in _choices(base).items():
            self.fields[kind] = forms.ChoiceField(choices=names, required=False, initial=getattr(base, kind))
        if base.document:
            chunks = base.document.chunks.defer("text").select_related("document")
            self.fields["chunk"] = forms.ModelChoiceField(
                chunks, required=False, initial=base.chunk_id, label="Source", empty_label="none"
            )
        for variable in self.variables:
            self.fields[VARIABLE + variable.name] = _field_of(variable, base.parameters.get(variable.name, ""))
        declared = {variable.name for variable in self.variables}
        others = {name: value for name, value in base.parameters.items() if name not in declared}
        self.fields["others"] = PairsField(
            original=others,
            initial=others,
            required=False,
            label="Further parameters",
            help_text="One in each line, as in: city = Oslo",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for variable in self.variables:
            value = cleaned.get(VARIABLE + variable.name)
            if value and (complaint := variable.complaint_about(value)):
                self.add_error(VARIABLE + variable.name, str(complaint))
            if variable.name in cleaned.get("others", {}):
                self.add_error("others", f"{variable.name} has a field of its own above. Change it there.")
        return cleaned

    def changes(self) -> dict[str, Any]:
        """As `versions.prepare` takes them. A variable left empty is no parameter: its default counts."""
        given = {variable.name: self.cleaned_data[VARIABLE + variable.name] for variable in self.variables}
        named = {name: self._as_it_was(name, value) for name, value in given.items() if value}
        words = {kind: self.cleaned_data[kind] for kind in DimensionKind.values}
        source = {"chunk": self.cleaned_data["chunk"]} if "chunk" in self.fields else {}
        return {**words, **source, "parameters": {**named, **self.cleaned_data["others"]}}

    def _as_it_was(self, name: str, value: str) -> Any:
        """A value that is left alone keeps its type."""
        before = self.base.parameters.get(name)
        return before if str(before) == value else value

    def fieldsets(self) -> list[tuple[str, dict[str, Any]]]:
        parameters = [name for name in self.fields if name.startswith(VARIABLE)]
        made_with = [name for name in (*DimensionKind.values, "chunk") if name in self.fields]
        return [
            ("Made with", {"fields": made_with}),
            ("Parameters", {"fields": [*parameters, "others"]}),
        ]


def _variables(base: Conversation) -> tuple[Variable, ...]:
    """Those that the template declares. What is declared wrongly is said by generation: here it is left out."""
    try:
        return variables_of(base.template) if base.template else ()
    except PromptError:
        return ()


def _choices(base: Conversation) -> dict[str, list[tuple[str, str]]]:
    """By kind: the workspace's active values, and the present one, which may be none of them any more."""
    names: dict[str, dict[str, str]] = {kind: {"": "none"} for kind in DimensionKind.values}
    for kind in DimensionKind.values:
        if word := getattr(base, kind):
            names[kind][word] = word
    active = Dimension.objects.filter(workspace=base.workspace_id, active=True).order_by("position", "name")
    for kind, name in active.values_list("kind", "name"):
        names[kind][name] = name
    return {kind: list(options.items()) for kind, options in names.items()}


def _field_of(variable: Variable, value: Any) -> forms.Field:
    default = f"Left empty, it is: {variable.default}." if variable.default else ""
    about: dict[str, Any] = {
        "label": variable.name.replace("_", " ").capitalize(),
        "required": False,
        "initial": value if value == "" else str(value),
        "help_text": " ".join(part for part in (variable.help_text, default) if part),
    }
    if variable.type == "dropdown":
        names = dict.fromkeys(["", *([str(value)] if value != "" else []), *variable.options])
        return forms.ChoiceField(choices=[(name, name or "–") for name in names], **about)
    return forms.CharField(widget=admin.widgets.AdminTextInputWidget, **about)


class RegeneratingConversationAdmin(ConversationAdmin):
    """The page of a conversation with *Regenerate*, for those who may generate."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.regenerate_view)
        return [path("<path:object_id>/regenerate/", page, name=REGENERATE), *super().get_urls()]

    def has_generate_permission(self, request: HttpRequest) -> bool:
        """Generating costs money: it takes the permission to add a batch."""
        return request.user.has_perm("batches.add_batchjob")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        if obj and self.has_generate_permission(request):
            context["regenerate_url"] = _regenerate_url(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def regenerate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        conversation = self.get_object(request, unquote(object_id))
        if conversation is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not (self.has_view_permission(request, conversation) and self.has_generate_permission(request)):
            raise PermissionDenied
        chain = versions.chain(conversation)
        if reason := versions.objection(conversation, chain):
            return self._sent_back(request, conversation, reason)
        form = RegenerationForm(request.POST or None, base=chain.starting_point)
        if form.is_valid():
            return self._ordered(request, conversation, form)
        return self._page(request, conversation, form, chain)

    def _ordered(self, request: HttpRequest, conversation: Conversation, form: RegenerationForm) -> HttpResponse:
        try:
            version = order(conversation, form.changes(), by=signed_in(request))
        except (CannotRegenerate, PlanError) as error:
            return self._sent_back(request, conversation, str(error))
        told = format_html(
            "{} is queued, before what waits already. {} stays as it is until the new version is written, and is "
            "archived then.",
            version,
            page_link("conversations_conversation", conversation.pk, conversation),
        )
        self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:conversations_conversation_change", args=[version.pk]))

    def _sent_back(self, request: HttpRequest, conversation: Conversation, reason: str) -> HttpResponse:
        self.message_user(request, reason, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:conversations_conversation_change", args=[conversation.pk]))

    def _page(
        self, request: HttpRequest, conversation: Conversation, form: RegenerationForm, chain: Chain
    ) -> HttpResponse:
        shown = AdminForm(form, form.fieldsets(), {})  # type: ignore[arg-type]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Regenerate {conversation}",
            "opts": self.opts,
            "original": conversation,
            "media": self.media + shown.media,
            "form": form,
            "adminform": shown,
            "under_way": chain.under_way,
        }
        return TemplateResponse(request, "batches/regenerate.html", context)


def _regenerate_url(conversation: Conversation) -> str:
    """Where the conversation is regenerated, or what was begun of that is taken up again; empty when it cannot be."""
    if not conversation.written and conversation.version == 1:
        return ""
    chain = versions.chain(conversation)
    if conversation.pk != chain.starting_point.pk and conversation.pk != chain.current.pk:
        return ""
    if versions.objection(chain.current, chain):
        return ""
    return reverse(f"admin:{REGENERATE}", args=[chain.current.pk])
