"""The list of conversations. `batches/admin.py` adds *Generate selected*, and registers it."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from conversations.admin.display import badge, page_link, simulated_badge, with_sentence
from conversations.admin.lists import LeanChangeList
from conversations.admin.live import LiveFilter
from conversations.admin.page import ConversationPage
from conversations.admin.scoping import VisibleRelatedFilter, signed_in, visible
from conversations.choices import DimensionKind
from conversations.models import Conversation, Dimension
from conversations.models.conversation_queries import NEWEST, ConversationQuerySet
from conversations.review import Decision, decide


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


class ConversationAdmin(ConversationPage):
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

    def get_actions(self, request: HttpRequest) -> Any:
        """Many at once are archived, never deleted."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(description="id", ordering="conversation_id")
    def readable_id(self, conversation: Conversation) -> SafeString:
        mark = format_html(" {}", simulated_badge()) if conversation.simulated else ""
        return format_html("{}{}", conversation.conversation_id, mark)

    @admin.display(description="status", ordering="status")
    def state(self, conversation: Conversation) -> SafeString:
        mark = badge(conversation.get_status_display(), conversation.status)
        return with_sentence(mark, conversation.failure_message)

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

    @admin.display(description="created", ordering="created_at")
    def created(self, conversation: Conversation) -> str:
        return f"{timezone.localtime(conversation.created_at):%Y-%m-%d}"

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
