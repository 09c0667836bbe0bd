"""A reviewer's decisions, as actions on the list of conversations."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from conversations.admin.acting import ActingAdmin, BarButton
from conversations.admin.confirming import Confirmation, NoteForm, shown_as_of
from conversations.admin.lists import ReviewPermission
from conversations.admin.scoping import signed_in
from conversations.choices import Status
from conversations.models import Conversation
from conversations.review import LEADS_TO, Decided, Decision, decide, foresee
from conversations.transitions import CONVERSATION
from convgen.text import counted

CANNOT = {
    Status.DRAFT: "Drafts: nothing has been written yet.",
    Status.GENERATING: "Being generated at this moment: wait until that is done.",
    Status.FAILED: "Failed: nothing was written. Generate them again.",
    Status.APPROVED: "Approved already: that decision stands, until they are regenerated.",
    Status.REJECTED: "Rejected already: that decision stands, until they are regenerated.",
    Status.ARCHIVED: "Archived already.",
}

OUTDATED = "Changed since you chose them: read them again, then decide."


class Words(NamedTuple):
    verb: str
    consequence: str
    note: str = ""  # what the form asks for
    icon: str = ""
    danger: bool = False
    asked: str = ""  # the verb, where it takes another word before what it is done to


WORDS = {
    Decision.APPROVE: Words(
        "Approve", "Approved conversations go into exports. Their text is settled.", icon="approve"
    ),
    Decision.REQUEST_CHANGES: Words(
        "Request changes",
        "They wait, marked “needs revision”, until somebody has edited or regenerated them.",
        "What is to be changed?",
        icon="changes",
        asked="Request changes to",
    ),
    Decision.REJECT: Words(
        "Reject",
        "Rejected conversations stay out of exports, and their places in the plan become free. This cannot be undone.",
        "Why?",
        icon="reject",
        danger=True,
    ),
    Decision.ARCHIVE: Words(
        "Archive",
        "Archived conversations can still be read, but are out of use, and their places in the plan become free. "
        "This cannot be undone.",
        icon="archive",
        danger=True,
    ),
}


def decisions_open_to(status: str) -> Sequence[Decision]:
    """Those that a conversation of this status can take."""
    return [each for each in WORDS if status in CONVERSATION.before(LEADS_TO[each])]


class DecidingAdmin(ReviewPermission, ActingAdmin):
    """The list of conversations with a reviewer's actions."""

    bar = {each.value: BarButton(words.verb, words.icon, words.danger) for each, words in WORDS.items()}

    @admin.action(description="Approve", permissions=["review"])
    def approve(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> HttpResponse | None:
        return self._decide(request, conversations, Decision.APPROVE)

    @admin.action(description="Request changes", permissions=["review"])
    def request_changes(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> HttpResponse | None:
        return self._decide(request, conversations, Decision.REQUEST_CHANGES)

    @admin.action(description="Reject", permissions=["review"])
    def reject(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> HttpResponse | None:
        return self._decide(request, conversations, Decision.REJECT)

    @admin.action(description="Archive", permissions=["review"])
    def archive(self, request: HttpRequest, conversations: QuerySet[Conversation]) -> HttpResponse | None:
        return self._decide(request, conversations, Decision.ARCHIVE)

    def _decide(
        self, request: HttpRequest, conversations: QuerySet[Conversation], decision: Decision
    ) -> HttpResponse | None:
        foreseen = foresee(conversations, decision, as_of=shown_as_of(request))
        asked = confirmation_of(decision, foreseen, request)
        if not asked.agreed(request):
            return self.confirm(request, asked)
        note = asked.form.cleaned_data["note"] if asked.form and asked.form.is_valid() else ""
        decided = decide(conversations, decision=decision, by=signed_in(request), note=note, seen=foreseen.read)
        self._tell(decided, lambda text, level: self.message_user(request, text, level))
        return None

    def _tell(self, decided: Decided, say: Callable[[str, int], Any]) -> None:
        number = len(decided.changed)
        if number:
            say(f"{counted(number, 'conversation')} {_what_became(decided)}.", messages.SUCCESS)
        if decided.left:
            say(f"{decided.left:,} left unchanged: {decided.reason}", messages.WARNING)


def _what_became(decided: Decided) -> str:
    one = len(decided.changed) == 1
    if decided.status is Status.NEEDS_REVISION:
        return "now needs revision" if one else "now need revision"
    return f"{'is' if one else 'are'} now {decided.status.label.lower()}"


def confirmation_of(decision: Decision, foreseen: Decided, request: HttpRequest) -> Confirmation:
    words, taken = WORDS[decision], foreseen.changed
    what = taken[0] if len(taken) == 1 else counted(len(taken), "conversation")
    sent = request.POST if "agreed" in request.POST else None
    return Confirmation(
        action=decision.value,
        title=f"{words.asked or words.verb} {what}?",
        consequence=words.consequence,
        button=words.verb if len(taken) == 1 else f"{words.verb} {len(taken):,}",
        taken=taken,
        refused={
            **{each: CANNOT[status] for each, status in foreseen.refused.items()},
            **dict.fromkeys(foreseen.outdated, OUTDATED),
        },
        form=NoteForm(sent, label=words.note) if words.note else None,
        danger=words.danger,
        seen=max(foreseen.read.values(), default=None),
        changes=[foreseen.read[key] for key in foreseen.keys],
        at_once=decision is Decision.APPROVE,
    )
