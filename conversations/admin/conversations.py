"""The page of a conversation. Its list is in `conversation_list.py`; `batches/admin.py` registers both."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations import versions
from conversations.admin.conversation_list import ConversationListAdmin
from conversations.admin.display import badge, list_link, problem, simulated_badge, usd, with_sentence
from conversations.admin.editing import EditingAdmin
from conversations.admin.fields import pretty_json
from conversations.admin.versions import VersionsOnPage
from conversations.changes import OPEN_TO_ORDER
from conversations.choices import Status
from conversations.models import Conversation
from conversations.review import Decision

EDITS_SHOWN = 20  # the latest: each has the turns as they were


class ConversationAdmin(ConversationListAdmin, VersionsOnPage, EditingAdmin):
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

    @admin.display(description="status")
    def status_now(self, conversation: Conversation) -> SafeString:
        status = badge(conversation.get_status_display(), conversation.status)
        mark = format_html("{} {}", status, simulated_badge()) if conversation.simulated else status
        origin = "Written by simulated Claude: not training data." if conversation.simulated else ""
        return with_sentence(mark, origin)

    @admin.display(description="cost", ordering="cost_usd")
    def cost(self, conversation: Conversation) -> str:
        return usd(conversation.cost_usd)

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
