"""The list of conversations: its columns, what it is filtered and sorted by, and what each row's menu offers."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from conversations.admin.acting import ActingChangeList
from conversations.admin.conversation_filters import FILTERS, RANGES, WorkspaceFilter
from conversations.admin.counting import CappedPaginator, FoundPaginator
from conversations.admin.deciding import WORDS, DecidingAdmin, decisions_open_to
from conversations.admin.display import badge, page_link, simulated_badge, with_sentence
from conversations.admin.exporting import ExportingAdmin
from conversations.admin.panel import PanelChangeList
from conversations.admin.row_menu import Entry, row_menu
from conversations.admin.scoping import sees_several, visible
from conversations.models import Conversation
from conversations.models.conversation_queries import NEWEST
from conversations.review import Decision


class ConversationChangeList(PanelChangeList, ActingChangeList):
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """What the columns chosen do not tell apart follows their direction, so that an index holds the whole order."""
        ordering: list[Any] = super().get_ordering(request, queryset)
        chosen = self.params.get(ORDER_VAR, "")
        if not chosen or chosen.rpartition(".")[2].startswith("-"):
            return ordering
        return [*ordering[: -len(NEWEST)], *NEWEST]

    @property
    def nothing_at_all(self) -> bool:
        """Whether there is no conversation yet that could be filtered or searched."""
        return not self.result_list and not (self.is_narrowed and visible(Conversation.objects.all()).exists())


class ConversationListAdmin(DecidingAdmin, ExportingAdmin):
    list_display = ["readable_id", "about", "state", "score", "tier", "template_link", "created"]
    list_filter = FILTERS
    list_defer = ["quality_metrics", "parameters", "review_history", "reviewer_notes"]
    search_fields = ["conversation_id"]  # shows the box: what is searched is in get_search_results
    search_help_text = 'Every word counts. "A phrase" stands as it is written, and -word leaves out what has that word.'
    ordering = [f"-{name}" for name in NEWEST]
    sortable_by = ["readable_id", "state", "score", "tier", "created"]  # each has its index
    show_facets = ShowFacets.NEVER  # they would count a million rows for each choice
    actions = [*DecidingAdmin.bar, *ExportingAdmin.bar]
    bar = {**DecidingAdmin.bar, **ExportingAdmin.bar}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ConversationChangeList

    def get_paginator(self, request: HttpRequest, *rows: Any, **how: Any) -> CappedPaginator:
        paginator = FoundPaginator if request.GET.get(SEARCH_VAR, "").strip() else CappedPaginator
        return paginator(*rows, **how)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(template_name=F("template__name"))

    def get_search_results(self, request: HttpRequest, conversations: Any, search_term: str) -> tuple[Any, bool]:
        found = conversations.matching(search_term) if search_term.strip() else conversations
        return found, False  # no row comes twice

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*self.list_filter, *([WorkspaceFilter] if sees_several() else [])]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        allowed = self.get_actions(request).keys()
        back = self.get_preserved_filters(request)

        @admin.display(description=mark_safe('<span class="visually-hidden">What can be done</span>'))
        def menu(conversation: Conversation) -> SafeString:
            return row_menu(conversation, list(self.entries(conversation, allowed, back)))

        return [*super().get_list_display(request), menu]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # drafts come from the plan, which gives them their number and their slot

    def get_actions(self, request: HttpRequest) -> Any:
        """Many at once are archived, never deleted."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.quality_view)
        return [path("<uuid:pk>/quality/", page, name="conversations_conversation_quality"), *super().get_urls()]

    def quality_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What makes up a score, for the note beside the score in the list. The conversation's page has it in full."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        conversation = self.get_queryset(request).filter(pk=pk).only("quality_metrics").first()
        if conversation is None:
            raise Http404("There is no such conversation.")
        return render(request, "conversations/quality_note.html", {"report": conversation.quality_metrics})

    def entries(self, conversation: Conversation, allowed: Collection[str], back: str) -> Iterator[Entry]:
        """What the row's menu offers. `allowed` are the actions that the person may do, `back` leads to the list."""
        address = reverse("admin:conversations_conversation_change", args=[conversation.pk])
        yield Entry("Open", "eye", f"{address}?{back}" if back else address, dialog=False)
        for decision in decisions_open_to(conversation.status):
            if decision.value in allowed:
                yield self._entry(conversation, decision, back)

    def _entry(self, conversation: Conversation, decision: Decision, back: str) -> Entry:
        words = WORDS[decision]
        if decision is Decision.APPROVE:
            return Entry(
                words.verb, words.icon, does=f"{decision.value} {conversation.pk} {conversation.updated_at.isoformat()}"
            )
        address = reverse("admin:conversations_conversation_confirm", args=[conversation.pk, decision.value])
        return Entry(words.verb, words.icon, f"{address}?{back}" if back else address, danger=words.danger)

    @admin.display(description="id", ordering="conversation_id")
    def readable_id(self, conversation: Conversation) -> str:
        return conversation.conversation_id

    @admin.display(description="conversation")
    def about(self, conversation: Conversation) -> SafeString:
        words = [each for each in (conversation.persona, conversation.emotion, conversation.topic) if each]
        return format_html(
            '<span class="row-title{}">{}</span><span class="row-words">{}</span>',
            "" if conversation.title else " untitled",
            conversation.title or "No title yet",
            format_html_join(mark_safe('<span aria-hidden="true">&nbsp;·</span> '), "<span>{}</span>", zip(words)),
        )

    @admin.display(description="status", ordering="status")
    def state(self, conversation: Conversation) -> SafeString:
        status = badge(conversation.get_status_display(), conversation.status)
        mark = format_html("{} {}", status, simulated_badge()) if conversation.simulated else status
        return with_sentence(mark, conversation.failure_message)

    @admin.display(description="quality", ordering="quality_tenths")
    def score(self, conversation: Conversation) -> SafeString | None:
        """The figure, and its range by colour and in words; a script shows beside it what the score is made of."""
        if conversation.quality_score is None:
            return None
        return format_html(
            '<a class="score score-{0}" href="{1}#quality" data-breakdown="{2}">{3}'
            '<span class="visually-hidden"> of 10, {0}: what it is made of</span></a>',
            range_of(conversation.quality_score),
            reverse("admin:conversations_conversation_change", args=[conversation.pk]),
            reverse("admin:conversations_conversation_quality", args=[conversation.pk]),
            conversation.quality_score,
        )

    @admin.display(description="template")
    def template_link(self, conversation: Any) -> Any:
        if not conversation.template_id:
            return None
        return page_link("conversations_prompttemplate", conversation.template_id, conversation.template_name)

    @admin.display(description="created", ordering="created_at")
    def created(self, conversation: Conversation) -> SafeString:
        day = f"{timezone.localtime(conversation.created_at):%Y-%m-%d}"
        return format_html('<time datetime="{0}">{0}</time>', day)


def range_of(score: Any) -> str:
    """`weak`, `fair` or `good`."""
    return next(name for name, (_lowest, below) in RANGES.items() if score < below)
