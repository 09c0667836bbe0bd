"""The generation log; templates with a form that can read prompts; workspaces that say how Claude is asked."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.admin.display import badge, page_link, problem, usd, with_sentence
from conversations.admin.fields import pretty_json
from conversations.admin.lists import ReadOnlyAdmin
from conversations.admin.scoping import visible
from conversations.admin.templates import PromptTemplateAdmin, PromptTemplateForm
from conversations.admin.workspaces import WorkspaceAdmin, WorkspaceForm
from conversations.models import Conversation, PromptTemplate, Workspace
from convgen.database.expressions import among
from generation import admin_rates  # noqa: F401  (registers its page)
from generation.admin_configuration import FIELDSET, ConfiguredAdmin, ConfiguredForm
from generation.errors import GenerationError
from generation.models import GenerationLog
from generation.pricing import saved_by_cache
from generation.writable import check_prompt, check_variables

NEWEST = 1000  # log rows among which the filters look for models


class ReadingPromptTemplateForm(ConfiguredForm, PromptTemplateForm):
    """Refuses prompts that could not be resolved, and says where they go wrong."""

    def clean_structure(self) -> Any:
        return self._checked("structure", check_prompt)

    def clean_system_prompt(self) -> Any:
        return self._checked("system_prompt", check_prompt)

    def clean_variables(self) -> Any:
        return self._checked("variables", check_variables)

    def _checked(self, name: str, check: Callable[[Any], None]) -> Any:
        value = self.cleaned_data[name]
        check(value)
        return value


@admin.register(PromptTemplate)
class ReadingPromptTemplateAdmin(ConfiguredAdmin, PromptTemplateAdmin):
    form = ReadingPromptTemplateForm
    readonly_fields = [*PromptTemplateAdmin.readonly_fields, "in_force"]
    fieldsets = [*PromptTemplateAdmin.fieldsets[:-1], FIELDSET, PromptTemplateAdmin.fieldsets[-1]]

    def save_model(self, request: HttpRequest, obj: PromptTemplate, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.warn_of_the_end(request, obj)


class ConfiguredWorkspaceForm(ConfiguredForm, WorkspaceForm):
    pass


@admin.register(Workspace)
class ConfiguredWorkspaceAdmin(ConfiguredAdmin, WorkspaceAdmin):
    form = ConfiguredWorkspaceForm
    fieldsets = [*WorkspaceAdmin.fieldsets, FIELDSET]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "in_force"]

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.warn_of_the_end(request, obj)


class ErrorTypeFilter(admin.SimpleListFilter):
    title = "error"
    parameter_name = "error_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(code, code.replace("_", " ")) for code in sorted(_codes(GenerationError))]

    def queryset(self, request: HttpRequest, logs: QuerySet[Any]) -> QuerySet[Any]:
        return logs.filter(error_type=self.value()) if self.value() else logs


def _about(word: str) -> Any:
    """The condition that a log has this id. Each kind of id looks its own way, and has an index of its own."""
    if word.startswith("req_"):
        return Q(request_id=word)
    try:
        return Q(run_id=UUID(word))
    except ValueError:
        return among("conversation", Conversation.objects.named(word))


def _codes(kind: type[GenerationError]) -> Iterator[str]:
    """The names of the errors that are raised: the leaves of their tree."""
    for narrower in kind.__subclasses__():
        yield from _codes(narrower)
    if not kind.__subclasses__():
        yield kind.code()


class ModelFilter(admin.SimpleListFilter):
    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The models of late: to look for all would mean to read a log of millions of rows."""
        newest = visible(GenerationLog.objects.order_by("-created_at"))
        return [(name, name) for name in sorted(set(newest.values_list("model", flat=True)[:NEWEST]))]

    def queryset(self, request: HttpRequest, logs: QuerySet[Any]) -> QuerySet[Any]:
        return logs.filter(model=self.value()) if self.value() else logs


@admin.register(GenerationLog)
class GenerationLogAdmin(ReadOnlyAdmin):
    purpose = "Every request to Claude: what was asked and answered, what it cost, and how it ended."
    list_display = [
        "created_at",
        "conversation_link",
        "attempt",
        "state",
        "model",
        "tokens",
        "cost",
        "duration",
    ]
    list_filter = ["status", ErrorTypeFilter, ModelFilter, "created_at"]
    list_defer = ["request", "response"]
    search_fields = ["request_id"]  # shows the box: what is searched is in get_search_results
    search_help_text = "Anthropic's request id, the run id, or a conversation's id such as TPL-0001"
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(readable_id=F("conversation__conversation_id"))

    def get_search_results(self, request: HttpRequest, logs: Any, search_term: str) -> tuple[Any, bool]:
        return (logs.filter(_about(search_term.strip())) if search_term.strip() else logs), False  # no row comes twice

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        failed = [(None, {"fields": ["failure"]})] if obj and obj.error_message else []
        return [
            *failed,
            (None, {"fields": ["state", ("conversation_link", "template"), ("created_at", "attempt", "model")]}),
            ("Usage", {"fields": [("tokens", "cached"), ("cost", "duration")]}),
            ("Request", {"fields": ["request_body"]}),
            ("Response", {"fields": ["response_body"]}),
            ("Record", {"fields": ["id", "run_id", "request_id", "message_batch_id", "workspace"]}),
        ]

    @admin.display(description="conversation", ordering="conversation__conversation_id")
    def conversation_link(self, log: Any) -> str:
        if not log.conversation_id:
            return self.get_empty_value_display()
        return page_link("conversations_conversation", log.conversation_id, log.readable_id)

    @admin.display(description="status", ordering="status")
    def state(self, log: GenerationLog) -> SafeString:
        # The choice's explanation ("Discarded: paid for, …") becomes the sentence below the badge.
        word, _colon, explanation = log.get_status_display().partition(": ")
        return with_sentence(badge(word, log.status), log.error_message or explanation.capitalize())

    @admin.display(description="cost", ordering="cost_usd")
    def cost(self, log: GenerationLog) -> str:
        return f"{usd(log.cost_usd)} (assumed price)" if log.price_assumed else usd(log.cost_usd)

    @admin.display(description="duration", ordering="duration_ms")
    def duration(self, log: GenerationLog) -> str:
        return f"{log.duration_ms / 1000:.1f} s"

    @admin.display(description="tokens")
    def tokens(self, log: GenerationLog) -> str:
        return f"{log.input_tokens:,} in, {log.output_tokens:,} out"

    @admin.display(description="prompt cache")
    def cached(self, log: GenerationLog) -> str:
        tokens = f"{log.cache_read_tokens:,} tokens read, {log.cache_write_tokens:,} written"
        return f"{tokens}; {saved_by_cache(log.cache_saving_usd)}" if log.cache_saving_usd else tokens

    @admin.display(description="why it failed")
    def failure(self, log: GenerationLog) -> SafeString:
        return format_html("{}<p>{}</p>", problem(log.error_message), badge(log.error_type))

    @admin.display(description="request")
    def request_body(self, log: GenerationLog) -> SafeString:
        return pretty_json(log.request)

    @admin.display(description="response")
    def response_body(self, log: GenerationLog) -> str:
        return self.get_empty_value_display() if log.response is None else pretty_json(log.response)
