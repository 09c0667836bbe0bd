"""What is done to chosen rows of a list: first a page that says what will happen and to which, then the deed.

An action of the list makes a `Confirmation`. As long as it is not agreed to, its page is shown: what it takes, what it
leaves alone and why. The page carries a fingerprint of what it takes, so that nothing else is done than was shown.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from conversations.admin.fields import PlainTextarea
from convgen.text import as_key

NEVER = datetime.min.replace(tzinfo=UTC)
LISTED = 200  # readable ids that the page shows; others are counted
AT_ONCE = "one"  # "approve KEY MOMENT": a row's own button, which does it without asking to the row as it was then


@dataclass(frozen=True)
class Chosen:
    """What a list's form was sent with."""

    action: str
    keys: Sequence[UUID]
    everything: bool  # all that the list holds, on its other pages too


def chosen(request: HttpRequest) -> Chosen:
    action, keys = request.POST.get("action", ""), request.POST.getlist("_selected_action")
    if AT_ONCE in request.POST:
        action, key, _moment = _at_once(request)
        return Chosen(action, [known] if (known := as_key(key)) else [], everything=False)
    known_keys = [known for key in keys if (known := as_key(key))]
    return Chosen(action, known_keys, everything=request.POST.get("select_across", "0") != "0")


def _at_once(request: HttpRequest) -> list[str]:
    return [*request.POST[AT_ONCE].split(" ", 2), "", ""][:3]


def shown_as_of(request: HttpRequest) -> datetime | None:
    """Up to when what was changed was shown to the person: by the row's menu, or by the confirmation."""
    moment = _at_once(request)[2] if AT_ONCE in request.POST else request.POST.get("seen", "")
    if not moment:
        return None
    try:
        known = datetime.fromisoformat(moment)
        return known if known.tzinfo else NEVER
    except ValueError:
        return NEVER


@dataclass(frozen=True)
class Confirmation:
    """What an action will do. Its rows are named so that no two have the same name."""

    action: str
    title: str
    consequence: str
    button: str
    taken: Sequence[str]  # readable ids, or names
    refused: Mapping[str, str] = field(default_factory=dict)  # those left alone, and why each is
    form: forms.Form | None = None
    facts: Sequence[tuple[str, str]] = ()  # such as what it costs
    warnings: Sequence[str] = ()
    danger: bool = False
    seen: datetime | None = None  # when the newest change of what is shown was made
    changes: Sequence[datetime] = ()  # when each of those taken was last changed, where that matters
    at_once: bool = False  # whether a row's own button does it without asking
    back: str = "Cancel"  # the button that does nothing
    nothing: str = "None of these can be taken"  # the title when that is so

    @property
    def listed(self) -> Sequence[str]:
        return self.taken[:LISTED]

    @property
    def unlisted(self) -> int:
        return len(self.taken) - len(self.listed)

    @property
    def reasons(self) -> list[tuple[str, Sequence[str], int]]:
        """Each reason, the readable ids that it holds for, and how many of them are not listed."""
        by_reason: dict[str, list[str]] = {}
        for readable_id, reason in self.refused.items():
            by_reason.setdefault(reason, []).append(readable_id)
        return [(reason, _unsaid(ids, reason)[:LISTED], max(0, len(ids) - LISTED)) for reason, ids in by_reason.items()]

    @property
    def fingerprint(self) -> str:
        """Another one for whatever else would be taken, and for what was changed where that matters."""
        told = [*sorted(self.taken), *sorted(moment.isoformat() for moment in self.changes)]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    @property
    def moment(self) -> str:
        return self.seen.isoformat() if self.seen else ""

    def agreed(self, request: HttpRequest) -> bool:
        """Whether to go ahead: it was confirmed as it stands, or needs no confirmation."""
        if self.at_once and AT_ONCE in request.POST:
            return True
        same = request.POST.get("agreed") == self.fingerprint
        return bool(self.taken) and same and (self.form is None or self.form.is_valid())

    def outdated(self, request: HttpRequest) -> bool:
        """Whether something else was confirmed: the conversations have changed meanwhile."""
        return request.POST.get("agreed", self.fingerprint) != self.fingerprint

    def page(
        self,
        request: HttpRequest,
        of: ModelAdmin,
        *,
        list_url: str,
        list_name: str = "Conversations",
        one: UUID | None = None,
    ) -> TemplateResponse:
        """What the person reads before she agrees. `one` is the row whose menu led here."""
        sent = chosen(request)
        context = {
            **of.admin_site.each_context(request),
            "title": self.title if self.taken else self.nothing,
            "opts": of.opts,
            "asked": self,
            "outdated": self.outdated(request),
            "keys": [one] if one else sent.keys,
            "everything": sent.everything,
            "list_url": list_url,
            "list_name": list_name,
        }
        return TemplateResponse(request, "conversations/confirm.html", context)


def _unsaid(ids: Sequence[str], reason: str) -> Sequence[str]:
    """A reason for one may name it."""
    return [each for each in ids if each not in reason]


class NoteForm(forms.Form):
    """What the review history keeps beside a decision."""

    note = forms.CharField(required=False, max_length=2_000, widget=PlainTextarea(attrs={"rows": 3}))

    def __init__(self, data: Any, *, label: str) -> None:
        super().__init__(data, label_suffix="")
        self.fields["note"].label = label
        self.fields["note"].help_text = "Optional. The review history of each conversation keeps it."
