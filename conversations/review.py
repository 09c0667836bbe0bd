"""What a reviewer decides about conversations."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F, Func, JSONField, QuerySet, TextChoices, Value
from django.db.models.functions import JSONObject
from django.utils import timezone

from conversations.choices import Status
from conversations.models import Conversation
from conversations.transitions import CONVERSATION
from convgen.models import User

NAMED = 5  # conversations that a refusal names; the others are counted


class Decision(TextChoices):
    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes", "Request changes"
    ARCHIVE = "archive"


LEADS_TO = {
    Decision.APPROVE: Status.APPROVED,
    Decision.REJECT: Status.REJECTED,
    Decision.REQUEST_CHANGES: Status.NEEDS_REVISION,
    Decision.ARCHIVE: Status.ARCHIVED,
}


@dataclass(frozen=True)
class Decided:
    """How a decision went: readable ids of the conversations changed, and of those refused with their status."""

    status: Status
    changed: list[str] = field(default_factory=list)
    refused: dict[str, Status] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why those refused were refused, in one sentence; empty when none was."""
        if not self.refused:
            return ""
        named = [f"{readable} ({status.label.lower()})" for readable, status in self.refused.items()]
        listed = ", ".join(named[:NAMED])
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        allowed = _either(status.label.lower() for status in CONVERSATION.before(self.status))
        return f"{listed}{more} cannot become {self.status.label.lower()}: a conversation must be {allowed} for that."


def foresee(conversations: QuerySet[Conversation], decision: Decision) -> Decided:
    """How a decision would go as things are; nothing is written."""
    return _divided(decision, conversations.order_by("conversation_id").values_list("conversation_id", "status"))


def _divided(decision: Decision, rows: Iterable[tuple[str, str]]) -> Decided:
    decided = Decided(LEADS_TO[decision])
    allowed = CONVERSATION.before(decided.status)
    for readable, present in rows:
        if present in allowed:
            decided.changed.append(readable)
        else:
            decided.refused[readable] = Status(present)
    return decided


@transaction.atomic
def decide(conversations: QuerySet[Conversation], *, decision: Decision, by: User, note: str = "") -> Decided:
    """Move each conversation to where the decision leads, and add the decision to its review history.

    Those whose status does not allow it stay as they are. An entry of the history is an object of `at` (ISO 8601),
    `by` (user name), `by_id`, `decision`, `note` and `score` (0.0–10.0 or null, as it was then).
    """
    rows = _locked(conversations)
    decided = _divided(decision, [(readable, present) for _pk, readable, present in rows])
    allowed = CONVERSATION.before(decided.status)
    changing = [pk for pk, _readable, present in rows if present in allowed]
    Conversation.objects.filter(pk__in=changing, status__in=allowed).update(
        status=decided.status, review_history=with_entry(decision, by, note), updated_at=timezone.now()
    )
    return decided


def _locked(conversations: QuerySet[Conversation]) -> list[tuple[Any, str, str]]:
    """Key, readable id and status. Locked in one order, so that two reviewers wait for each other at worst."""
    rows = Conversation.objects.filter(pk__in=conversations.order_by().values("pk")).order_by("pk").select_for_update()
    return list(rows.values_list("pk", "conversation_id", "status"))


class _Joined(Func):
    """`a || b` of JSON values: an object takes on b's members, an array gets b at its end."""

    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = JSONField()


def with_entry(decision: str, by: User | None, note: str) -> _Joined:
    """The review history with one more entry. `by` is None when nobody decided it, or is no user any more."""
    entry = {
        "at": timezone.now().isoformat(timespec="seconds"),
        "by": by.get_username() if by else "",
        "by_id": str(by.pk) if by else "",
        "decision": str(decision),
        "note": note,
    }
    # The score is the row's own, read by the UPDATE itself.
    with_score = _Joined(Value(entry, JSONField()), JSONObject(score=F("quality_score")))
    return _Joined(F("review_history"), with_score)


def _either(words: Any) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
