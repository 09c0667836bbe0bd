"""The list and the page of a conversation. `batches/admin.py` adds *Generate selected*, and registers it."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from conversations import versions
from conversations.admin.display import badge, list_link, page_link, problem, simulated_badge, usd, with_sentence
from conversations.admin.editing import EditingAdmin
from conversations.admin.fields import pretty_json
from conversations.admin.lists import LeanChangeList
from conversations.admin.live import LiveFilter
from conversations.admin.scoping import VisibleRelatedFilter, signed_in, visible
from conversations.admin.versions import VersionsOnPage
from conversations.changes import OPEN_TO_ORDER
from conversations.choices import DimensionKind, Status
from conversations.models import Conversation, Dimension
from conversations.models.conversation_queries import NEWEST, ConversationQuerySet
from conversations.review import Decision, decide

EDITS_SHOWN = 20  # the latest: each has the turns as they were


class QualityFilter(admin.SimpleListFilter):
    title = "quality"
    parameter_name = "quality"
    ranges = {"weak": (0, 6), "fair": (6, 8), "good": (8, 11)}  # upper bound excluded

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("weak", "below 6.0"), ("fair", "6.0 to 7.9"), ("good", "8.0 and better"), ("none", "not scored")]

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "none":
            return conversations.filter(quality_tenths__isnull=True)
        if value not in self.ranges:
            return conversations
        lowest, highest = self.ranges[value]
        return cast(ConversationQuerySet, conversations).scored(at_least=lowest, below=highest)


class DimensionFilter(admin.SimpleListFilter):
    """By the values that curators keep: a few rows, where the conversations' own words would have to be gathered."""

    kind: DimensionKind

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        dimensions = visible(Dimension.objects.filter(kind=self.kind))
        names = dimensions.order_by("position", "name").values_list("name", flat=True)
        return [(name, name) for name in dict.fromkeys(names)]

    def queryset(self, request: HttpRequest, conversations: QuerySet[Any]) -> QuerySet[Any]:
        return conversations.filter(**{self.kind.value: self.value()}) if self.value() else conversations


def _filter_by(kind: DimensionKind) -> type[DimensionFilter]:
    named = {"kind": kind, "title": kind.label.lower(), "parameter_name": kind.value}
    return type(f"{kind.label}Filter", (DimensionFilter,), named)


class ConversationChangeList(LeanChangeList):
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """What the columns chosen do not tell apart follows their direction, so that an index holds the whole order."""
        ordering: list[Any] = super().get_ordering(request, queryset)
        chosen = self.params.get(ORDER_VAR, "")
        if not chosen or chosen.rpartition(".")[2].startswith("-"):
            return ordering
        return [*ordering[: -len(NEWEST)], *NEWEST]


class ConversationAdmin(VersionsOnPage, EditingAdmin):
    list_display = [
        "readable_id",
        "title",
        "state",
        "score",
        "tier",
        "about",
        "template_link",
        "created",
    ]
    list_filter = [
        "status",
        "tier",
        QualityFilter,
        LiveFilter,
        "simulated",
        ("template", VisibleRelatedFilter),
        *(_filter_by(kind) for kind in (DimensionKind.PERSONA, DimensionKind.EMOTION, DimensionKind.TOPIC)),
        "created_at",
    ]
    list_defer = ["quality_metrics", "parameters", "review_history", "reviewer_notes"]
    search_fields = ["conversation_id"]  # shows the box: what is searched is in get_search_results
    search_help_text = 'Words of an id, title, persona, emotion, topic or turn; "a phrase", and -word for without it'
    ordering = [f"-{name}" for name in NEWEST]
    sortable_by = ["readable_id", "state", "score", "tier", "about", "created"]  # each has its index
    actions = ["approve", "request_changes", "reject", "archive"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ConversationChangeList

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(template_name=F("template__name"))

    def get_search_results(self, request: HttpRequest, conversations: Any, search_term: str) -> tuple[Any, bool]:
        found = conversations.matching(search_term) if search_term.strip() else conversations
        return found, False  # no row comes twice

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # drafts come from the plan, which gives them their number and their slot

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.review_conversation")

    def get_actions(self, request: HttpRequest) -> Any:
        """Many at once are archived, never deleted."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # The page: what history must not change is read-only.

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        failed = [(None, {"fields": ["failure"]})] if obj and obj.failure_message else []
        seen = ["seen"] if self.has_change_permission(request, obj) and not _is_generating(obj) else []
        return [
            *failed,
            (None, {"fields": ["readable_id", "status_now", "title", "category", *seen]}),
            ("Quality", {"fields": ["quality_report"]}),
            *([("Versions", {"fields": ["versions_so_far"]})] if _has_versions(obj) else []),
            ("Made with", {"fields": [*self._made_with, "parameters" if _open(obj) else "parameters_given"]}),
            ("Cost", {"fields": [("model", "tokens"), ("cost", "requests")]}),
            ("Review", {"fields": ["reviewer_notes", "review_so_far", "edits_so_far"]}),
            ("Record", {"fields": self._record, "classes": ["collapse"]}),
        ]

    _made_with = [
        ("template", "template_version", "tier"),
        ("persona", "emotion", "topic"),
        ("intent", "tone"),
        "chunk",
    ]
    _record = [
        ("version", "parent", "parent_type"),
        ("created_by", "created_at", "updated_at"),
        ("id", "workspace"),
        "slot",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        editable = set() if _is_generating(obj) else {"title", "category", "parameters", "reviewer_notes", "seen"}
        return [name for name in flatten_fieldsets(self.get_fieldsets(request, obj)) if name not in editable]

    @admin.display(description="id", ordering="conversation_id")
    def readable_id(self, conversation: Conversation) -> SafeString:
        mark = format_html(" {}", simulated_badge()) if conversation.simulated else ""
        return format_html("{}{}", conversation.conversation_id, mark)

    @admin.display(description="status", ordering="status")
    def state(self, conversation: Conversation) -> SafeString:
        mark = badge(conversation.get_status_display(), conversation.status)
        return with_sentence(mark, conversation.failure_message)

    @admin.display(description="status")
    def status_now(self, conversation: Conversation) -> SafeString:
        mark = badge(conversation.get_status_display(), conversation.status)
        origin = "Written by simulated Claude: not training data." if conversation.simulated else ""
        return with_sentence(mark, origin)

    @admin.display(description="score", ordering="quality_tenths")
    def score(self, conversation: Conversation) -> Any:
        return conversation.quality_score

    @admin.display(description="persona, emotion, topic", ordering="persona")
    def about(self, conversation: Conversation) -> SafeString:
        words = (conversation.persona, conversation.emotion, conversation.topic)
        return format_html_join(mark_safe("<br>"), "{}", ((word,) for word in words if word))

    @admin.display(description="template")
    def template_link(self, conversation: Any) -> Any:
        if not conversation.template_id:
            return None
        return page_link("conversations_prompttemplate", conversation.template_id, conversation.template_name)

    @admin.display(description="cost", ordering="cost_usd")
    def cost(self, conversation: Conversation) -> str:
        return usd(conversation.cost_usd)

    @admin.display(description="created", ordering="created_at")
    def created(self, conversation: Conversation) -> str:
        return f"{timezone.localtime(conversation.created_at):%Y-%m-%d}"

    @admin.display(description="why it failed")
    def failure(self, conversation: Conversation) -> SafeString:
        return format_html("{}<p>{}</p>", problem(conversation.failure_message), badge(conversation.failure_type))

    @admin.display(description="quality")
    def quality_report(self, conversation: Conversation) -> str:
        return render_to_string("conversations/quality_report.html", {"conversation": conversation})

    @admin.display(description="parameters")
    def parameters_given(self, conversation: Conversation) -> str:
        return pretty_json(conversation.parameters) if conversation.parameters else self.get_empty_value_display()

    @admin.display(description="tokens")
    def tokens(self, conversation: Conversation) -> str:
        return f"{conversation.input_tokens:,} in, {conversation.output_tokens:,} out"

    @admin.display(description="requests to Claude")
    def requests(self, conversation: Any) -> SafeString:
        number = conversation.generation_logs.count()
        filters = {"conversation__id__exact": conversation.pk}
        return list_link("generation_generationlog", f"{number} in the log" if number else "none in the log", filters)

    @admin.display(description="review history")
    def review_so_far(self, conversation: Conversation) -> str:
        return render_to_string("conversations/review_history.html", {"entries": _entries(conversation)})

    @admin.display(description="edited by hand")
    def edits_so_far(self, conversation: Conversation) -> str:
        edits = conversation.edits.select_related("edited_by")[:EDITS_SHOWN]
        return render_to_string("conversations/edits.html", {"edits": edits})

    # What a reviewer decides.

    @admin.action(description="Approve selected conversations", permissions=["review"])
    def approve(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> None:
        self._decide(request, conversations, Decision.APPROVE)

    @admin.action(description="Request changes to selected conversations", permissions=["review"])
    def request_changes(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> None:
        self._decide(request, conversations, Decision.REQUEST_CHANGES)

    @admin.action(description="Reject selected conversations", permissions=["review"])
    def reject(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> None:
        self._decide(request, conversations, Decision.REJECT)

    @admin.action(description="Archive selected conversations", permissions=["review"])
    def archive(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> None:
        self._decide(request, conversations, Decision.ARCHIVE)

    def _decide(self, request: HttpRequest, conversations: QuerySet[Conversation], decision: Decision) -> None:
        decided = decide(conversations, decision=decision, by=signed_in(request))
        number, status = len(decided.changed), decided.status.label.lower()
        if number:
            what = "1 conversation is" if number == 1 else f"{number} conversations are"
            self.message_user(request, f"{what} now {status}.", messages.SUCCESS)
        if decided.refused:
            self.message_user(request, f"{len(decided.refused)} left unchanged: {decided.reason}", messages.WARNING)


def _has_versions(conversation: Conversation | None) -> bool:
    """Whether it was regenerated, or could be."""
    return conversation is not None and (conversation.written or conversation.version > 1)


def _open(conversation: Conversation | None) -> bool:
    return conversation is not None and conversation.status in OPEN_TO_ORDER


def _is_generating(conversation: Conversation | None) -> bool:
    return conversation is not None and conversation.status == Status.GENERATING


def _entries(conversation: Conversation) -> list[dict[str, Any]]:
    """The review history, newest first, with each decision in words."""
    labels = {**dict(Decision.choices), versions.SUPERSEDED: "Superseded"}
    return [
        {**entry, "decision": labels.get(entry["decision"], entry["decision"])}
        for entry in reversed(conversation.review_history)
    ]
