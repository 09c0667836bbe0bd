"""Versions: a conversation, and what it was regenerated into.

A regeneration is a conversation of its own, the next version of its *chain*: TPL-0001, TPL-0001-v2, TPL-0001-v3. It is
*under way* until it is written, and changes nothing before; then it becomes the chain's *current* version, and the one
that it replaces is archived in the same transaction. The database keeps chains from branching, and from having two
current versions (`conversations/models/conversation.py`).
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from conversations.choices import DimensionKind, ParentType, Status
from conversations.models import Conversation
from conversations.review import with_entry
from convgen.models import User

CHANGEABLE = ("parameters", *DimensionKind.values, "chunk", "category")
COPIED = ("template_id", "tier", "category", "parameters", "chunk_id", "document_id", *DimensionKind.values)
SUPERSEDED = "superseded"  # the decision in the review history of what a new version has replaced

_LONG = ("quality_metrics", "review_history", "reviewer_notes")
_ID_LENGTH = 40


class CannotRegenerate(Exception):
    """The conversation cannot be regenerated as it stands; the message says what can be done."""


@dataclass(frozen=True)
class Chain:
    """All versions of a conversation that there are, by number; at least one. A deleted one is missing."""

    versions: list[Conversation]

    @property
    def current(self) -> Conversation:
        """The version that counts: the newest that was written; before any is, the first."""
        written = [version for version in self.versions if version.written]
        return written[-1] if written else self.versions[0]

    @property
    def under_way(self) -> Conversation | None:
        """The version that is to replace the current one, as long as it is not written."""
        newest = self.versions[-1]
        given_up = newest.status == Status.ARCHIVED
        return None if newest is self.current or newest.written or given_up else newest

    @property
    def starting_point(self) -> Conversation:
        """What a regeneration begins with: the version under way, where one failed or waits; else the current one."""
        return self.under_way or self.current


def chain(conversation: Conversation) -> Chain:
    """The chain that the conversation belongs to, in one query. Long JSON stays in the database until it is read."""
    return Chain(list(Conversation.objects.in_chain_of(conversation).order_by("version").defer(*_LONG)))


def chains(conversations: Iterable[Conversation]) -> dict[UUID, Chain]:
    """The chain of each conversation by its key, in one query for all of them."""
    first_of = {one.pk: one.first_version or one.pk for one in conversations}
    firsts = set(first_of.values())
    by_first: dict[UUID, list[Conversation]] = {}
    members = Conversation.objects.filter(Q(pk__in=firsts) | Q(first_version__in=firsts))
    for version in members.order_by("version").defer(*_LONG):
        by_first.setdefault(version.first_version or version.pk, []).append(version)
    return {key: Chain(by_first[first]) for key, first in first_of.items() if first in by_first}


def current(conversation: Conversation) -> Conversation:
    """The version of its chain that counts."""
    return chain(conversation).current


def objection(conversation: Conversation, of: Chain) -> str:
    """Why the conversation cannot be regenerated, and what can be done; empty when it can. `of` is its chain."""
    if conversation.pk != of.current.pk and conversation.written:
        return f"{conversation} has been regenerated already; its current version is {of.current}: regenerate that one."
    if not conversation.written:
        return _objection_to_unwritten(conversation, of)
    if conversation.template_id is None:
        return f"The template of {conversation} was deleted: make a conversation from another template instead."
    if of.under_way and of.under_way.status == Status.GENERATING:
        return f"{conversation} is being regenerated at this moment: wait until {of.under_way} is done."
    return ""


def _objection_to_unwritten(conversation: Conversation, of: Chain) -> str:
    match conversation.status:
        case Status.DRAFT:
            return f"{conversation} is still a draft: change its parameters on its page, and generate it."
        case Status.FAILED:
            return f"{conversation} failed and has no turns to replace: generate it again."
        case Status.GENERATING:
            return f"{conversation} is being generated at this moment: wait until it is done."
    if of.current.written:
        return f"{conversation} was given up before it was written; regenerate the current version, {of.current}."
    return f"{conversation} was archived before it was written: there is nothing to regenerate."


@transaction.atomic
def prepare(
    conversation: Conversation, changes: Mapping[str, Any] | None = None, *, by: User | None = None
) -> Conversation:
    """A draft of the next version, ready to be generated. The conversation itself stays as it is.

    It is made as the conversation was, but for `changes`: values of the fields in `CHANGEABLE`; parameters are
    replaced as a whole. Where an earlier regeneration was begun and not written, that one is taken up: it keeps what
    is not in `changes`. Raises `CannotRegenerate`.
    """
    changes = _checked(changes or {})
    lock(conversation)
    found = chain(conversation)  # read after locking: it has what another caller made meanwhile
    known = {version.pk: version for version in found.versions}
    if conversation.pk not in known:
        raise CannotRegenerate(f"{conversation} has been deleted.")
    former = known[conversation.pk]
    if reason := objection(former, found):
        raise CannotRegenerate(reason)
    if found.under_way:
        return _taken_up(found.under_way, former, changes, by)
    return _next(found, former, changes, by)


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := changes.keys() - set(CHANGEABLE):
        raise ValueError(f"Not to be changed: {', '.join(sorted(unknown))}. These are: {', '.join(CHANGEABLE)}.")
    values = dict(changes)
    if "chunk" in values:
        chunk = values["chunk"]
        values["document"] = chunk.document if chunk else None
    return values


def _next(found: Chain, former: Conversation, changes: Mapping[str, Any], by: User | None) -> Conversation:
    version, readable_id = _free_number(found)
    made = Conversation(
        workspace_id=former.workspace_id,
        conversation_id=readable_id,
        version=version,
        first_version=former.first_version or former.pk,
        parent_type=ParentType.REGENERATION,
        created_by=by,
        **{name: getattr(former, name) for name in COPIED},
    )
    for name, value in {**changes, **_anew(former)}.items():
        setattr(made, name, value)
    made.save()
    return made


def _taken_up(draft: Conversation, former: Conversation, changes: Mapping[str, Any], by: User | None) -> Conversation:
    values = {**changes, **_anew(former), **({"created_by": by} if by else {})}
    free = Conversation.objects.filter(pk=draft.pk, status__in=(Status.DRAFT, Status.FAILED))
    if not free.update(**values, updated_at=timezone.now()):
        raise CannotRegenerate(f"{former} is being regenerated at this moment: wait until {draft} is done.")
    return Conversation.objects.get(pk=draft.pk)


def _anew(former: Conversation) -> dict[str, Any]:
    """What each regeneration takes from the present."""
    return {"parent": former, "template_version": former.template.version if former.template else None}


def _free_number(found: Chain) -> tuple[int, str]:
    """The next version's number and readable id; a number whose id is somebody else's is left out."""
    newest = found.versions[-1]
    stem = re.sub(rf"-v{newest.version}$", "", newest.conversation_id)
    mine = Conversation.objects.filter(workspace=newest.workspace_id)
    for version in count(newest.version + 1):
        suffix = f"-v{version}"
        readable_id = stem[: _ID_LENGTH - len(suffix)] + suffix
        if not mine.filter(conversation_id=readable_id).exists():
            return version, readable_id
    raise AssertionError("unreachable")


def lock(conversation: Conversation) -> None:
    """Lock the chain's rows, in the order in which reviewers' decisions are locked too (`conversations/review.py`)."""
    list(Conversation.objects.in_chain_of(conversation).order_by("pk").select_for_update().values_list("pk"))


def supersede(version: Conversation) -> None:
    """Let a version that is about to be saved take the place of its parent, in the same transaction.

    The parent is archived, whatever its status is by now, and the version gets its slot unless another live
    conversation has that meanwhile. The chain must be locked.
    """
    former = Conversation.objects.filter(versions=version.pk).first()
    if former is None:
        return  # deleted meanwhile
    Conversation.objects.filter(pk=former.pk).update(
        status=Status.ARCHIVED,
        review_history=with_entry(SUPERSEDED, version.created_by, f"Regenerated as {version}."),
        updated_at=timezone.now(),
    )
    if former.slot:
        _take_slot(version.pk, former.slot)


def _take_slot(pk: UUID, slot: str) -> None:
    with suppress(IntegrityError), transaction.atomic():  # the plan may have filled it, when the parent was not live
        Conversation.objects.filter(pk=pk).update(slot=slot)
