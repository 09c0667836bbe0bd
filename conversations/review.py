"""What a reviewer decides about conversations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, JSONField, QuerySet, TextChoices, Value
from django.db.models.functions import JSONObject
from django.utils import timezone

from conversations.choices import Status
from conversations.models import Conversation
from conversations.naming import listed
from conversations.transitions import CONVERSATION
from convgen.models import User

NAMED = 5  # conversations that a refusal names; the others are counted
Row = tuple[UUID, str, str, datetime]  # key, readable id, status, when it was last changed
COLUMNS = ("pk", "conversation_id", "status", "updated_at")
UNSEEN: Mapping[UUID, datetime] = {}


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
    """How a decision went: readable ids of the conversations changed, and of those left as they are.

    `refused` are those whose status does not allow it, `outdated` those that were changed after they were read.
    `read` says of each that was looked at when it was last changed, as far as the person can have read it.
    """

    status: Status
    changed: list[str] = field(default_factory=list)
    refused: dict[str, Status] = field(default_factory=dict)
    outdated: list[str] = field(default_factory=list)
    keys: list[UUID] = field(default_factory=list)  # of those changed
    read: dict[UUID, datetime] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """How many stayed as they were."""
        return len(self.refused) + len(self.outdated)

    @property
    def reason(self) -> str:
        """Why those left as they are were left, in a sentence for each reason; empty when none was."""
        return " ".join(sentence for sentence in (self._refusal(), self._too_late()) if sentence)

    def _refusal(self) -> str:
        if not self.refused:
            return ""
        named = listed([f"{readable} ({status.label.lower()})" for readable, status in self.refused.items()], NAMED)
        allowed = _either(status.label.lower() for status in CONVERSATION.before(self.status))
        return f"{named} cannot become {self.status.label.lower()}: a conversation must be {allowed} for that."

    def _too_late(self) -> str:
        if not self.outdated:
            return ""
        has, it = ("has", "it") if len(self.outdated) == 1 else ("have", "them")
        return f"{listed(self.outdated, NAMED)} {has} been changed since you read {it}. Read {it} again, then decide."


def foresee(conversations: QuerySet[Conversation], decision: Decision, *, as_of: datetime | None = None) -> Decided:
    """How a decision would go as things are; nothing is written. `as_of`: what is changed later was not read."""
    rows: list[Row] = list(conversations.order_by("conversation_id").values_list(*COLUMNS))
    read = {pk: min(changed_at, as_of or changed_at) for pk, _readable, _present, changed_at in rows}
    return _divided(decision, rows, read)


def _divided(decision: Decision, rows: Iterable[Row], read: Mapping[UUID, datetime]) -> Decided:
    decided = Decided(LEADS_TO[decision], read=dict(read))
    allowed = CONVERSATION.before(decided.status)
    for pk, readable, present, changed_at in rows:
        if present not in allowed:
            decided.refused[readable] = Status(present)
        elif read.get(pk, changed_at) != changed_at:
            decided.outdated.append(readable)
        else:
            decided.changed.append(readable)
            decided.keys.append(pk)
    return decided


@transaction.atomic
def decide(
    conversations: QuerySet[Conversation],
    *,
    decision: Decision,
    by: User,
    note: str = "",
    seen: Mapping[UUID, datetime] = UNSEEN,
) -> Decided:
    """Move each conversation to where the decision leads, and add the decision to its review history.

    Those whose status does not allow it stay as they are, and so do those whose `updated_at` is not what the person
    has seen, where `seen` says that of them. An entry of the history is an object of `at` (ISO 8601),
    `by` (user name), `by_id`, `decision`, `note` and `score` (0.0–10.0 or null, as it was then).
    """
    rows = _locked(conversations)
    decided = _divided(decision, rows, seen)
    Conversation.objects.filter(pk__in=decided.keys).update(
        status=decided.status, review_history=with_entry(decision, by, note), updated_at=timezone.now()
    )
    return decided


def _locked(conversations: QuerySet[Conversation]) -> list[Row]:
    """Locked in one order, so that two reviewers wait for each other at worst."""
    rows = Conversation.objects.filter(pk__in=conversations.order_by().values("pk")).order_by("pk").select_for_update()
    return list(rows.values_list(*COLUMNS))


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
