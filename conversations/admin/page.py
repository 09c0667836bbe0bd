"""The page of one conversation: its dialogue, beside it all that is known of it, and what a reviewer decides."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from conversations import versions
from conversations.admin.deciding import decisions_open_to
from conversations.admin.editing import EditingAdmin
from conversations.admin.lists import ReviewPermission, about_one
from conversations.admin.scoping import signed_in
from conversations.admin.versions import VersionsOnPage
from conversations.changes import OPEN_TO_ORDER
from conversations.choices import DimensionKind, Status
from conversations.models import Conversation
from conversations.review import Decision, decide

DECIDE = "conversations_conversation_decide"
EDITS_SHOWN = 20  # the latest: each has the turns as they were
LONGEST_NOTE = 2_000  # characters
CHANGED = "Nothing was decided: {} has been changed since you opened its page. Read it again, then decide."


class ConversationPage(ReviewPermission, VersionsOnPage, EditingAdmin):
    change_form_template = "conversations/conversation.html"

    def get_urls(self) -> list[URLPattern]:
        decided = self.admin_site.admin_view(require_POST(self.decide_view))
        return [path("<path:object_id>/decide/", decided, name=DECIDE), *super().get_urls()]

    # What can be written in it. All else is shown by the template, as it is.

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        order = ["parameters"] if obj and obj.status in OPEN_TO_ORDER else []
        return [(None, {"fields": ["title", "category", *order, "reviewer_notes", "seen"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        closed = obj is not None and obj.status == Status.GENERATING
        return flatten_fieldsets(self.get_fieldsets(request, obj)) if closed else []

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if obj := kwargs.get("obj"):
            context.update(self._shown(request, obj))
        return super().render_change_form(request, context, *args, **kwargs)

    def _shown(self, request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
        has_versions = conversation.written or conversation.version > 1
        return {
            "decisions": self._decisions(request, conversation),
            "seen": conversation.updated_at.isoformat(),
            "decide_url": reverse(f"admin:{DECIDE}", args=[conversation.pk]),
            "versions": self.versions_so_far(conversation) if has_versions else "",
            "reviews": _entries(conversation),
            "edits": conversation.edits.select_related("edited_by")[:EDITS_SHOWN],
            "words": [(kind.label, getattr(conversation, kind)) for kind in DimensionKind]
            + [("Category", conversation.category)],
            "requests": conversation.generation_logs.count(),
        }

    # What a reviewer decides.

    def _decisions(self, request: HttpRequest, conversation: Conversation) -> list[str]:
        may = self.has_review_permission(request)
        return [each.value for each in decisions_open_to(conversation.status)] if may else []

    @about_one
    def decide_view(self, request: HttpRequest, conversation: Conversation) -> HttpResponse:
        if not self.has_review_permission(request):
            raise PermissionDenied
        if request.POST.get("seen", seen := conversation.updated_at.isoformat()) != seen:
            self.message_user(request, CHANGED.format(conversation), messages.ERROR)
        elif request.POST.get("decision") in Decision.values:
            self._decide_one(request, conversation, Decision(request.POST["decision"]))
        return HttpResponseRedirect(reverse("admin:conversations_conversation_change", args=[conversation.pk]))

    def _decide_one(self, request: HttpRequest, conversation: Conversation, decision: Decision) -> None:
        note = request.POST.get("note", "").strip()[:LONGEST_NOTE]
        one = Conversation.objects.filter(pk=conversation.pk)
        decided = decide(
            one, decision=decision, by=signed_in(request), note=note, seen={conversation.pk: conversation.updated_at}
        )
        if decided.left:
            self.message_user(request, decided.reason, messages.ERROR)
        else:
            self.message_user(request, f"{conversation} is now {decided.status.label.lower()}.", messages.SUCCESS)


def _entries(conversation: Conversation) -> list[dict[str, Any]]:
    """The review history, newest first, with each decision in words."""
    labels = {**dict(Decision.choices), versions.SUPERSEDED: "Superseded"}
    return [
        {
            **entry,
            "at": datetime.fromisoformat(entry["at"]),
            "decision": labels.get(entry["decision"], entry["decision"]),
        }
        for entry in reversed(conversation.review_history)
    ]
