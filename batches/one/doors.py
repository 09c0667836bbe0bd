"""The three ways in which one conversation comes to be written: a new one, a draft, the next version of one.

Each fills the same form, and each ends in a batch of one that goes before what waits already.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from batches import regeneration, single
from batches.planning import PlanError
from conversations import coverage, editing, versions
from conversations.choices import DimensionKind, Status
from conversations.models import Conversation, PromptTemplate
from conversations.ordering import OrderError, draft_of, place_in_plan
from conversations.versions import CannotRegenerate, Chain
from convgen.models import User

OPEN = (Status.DRAFT, Status.FAILED)

Order = Callable[[Mapping[str, Any], User], Conversation]


class Refused(Exception):
    """It cannot be ordered like that; the message says why, and what can be done. Nothing was changed."""


@dataclass(frozen=True)
class Door:
    """What the form is filled in from, how its page speaks of it, and what it orders."""

    base: Conversation
    title: str
    verb: str  # the button
    order: Order
    source: bool = True  # whether the source may be chosen
    key: UUID | None = None  # of what is made new, carried by the form: whoever sends it twice pays once
    back: str = ""  # where Cancel leads


def new(template: PromptTemplate, like: Conversation | None = None, *, key: UUID | None = None) -> Door:
    """A new conversation of a template, filled in from another one of that template. `key`: as the form carries it."""
    base = Conversation(workspace=template.workspace, template=template, tier=template.tier, category=template.category)
    if like is not None:
        for name in (*DimensionKind.values, "parameters"):
            setattr(base, name, getattr(like, name))
    back = reverse("admin:conversations_conversation_changelist")
    order = partial(_order_new, template, key or base.pk)
    return Door(base, "Generate one conversation", "Generate", order, key=base.pk, back=back)


def draft(conversation: Conversation) -> Door:
    """A draft, or one that failed. Its source stays: the plan gave it."""
    verb = "Try again" if conversation.status == Status.FAILED else "Generate"
    order = partial(_order_draft, conversation)
    return Door(conversation, f"Generate {conversation}", verb, order, source=False, back=page_of(conversation))


def next_version(conversation: Conversation, of: Chain) -> Door:
    """The next version of a conversation, or the one under way. `of` is its chain."""
    order = partial(_order_version, conversation)
    return Door(of.starting_point, f"Regenerate {conversation}", "Regenerate", order, back=page_of(conversation))


def again(conversation: Conversation, *, by: User) -> Conversation:
    """Have what was not written be written as it stands. Raises `Refused`."""
    if conversation.status not in OPEN:
        raise Refused(f"{conversation} is not waiting to be written any more.")
    if conversation.version > 1:
        return _order_version(versions.chain(conversation).current, {}, by)
    return _order_draft(conversation, {}, by)


def page_of(conversation: Conversation) -> str:
    return reverse("admin:conversations_conversation_change", args=[conversation.pk])


@transaction.atomic
def _order_new(template: PromptTemplate, key: UUID, changes: Mapping[str, Any], by: User) -> Conversation:
    coverage.lock_plan(template.workspace)  # where the same form was sent twice at one time, the second waits here
    if former := Conversation.objects.filter(pk=key).first():
        raise Refused(f"{former} was made with this form already. Press Generate once more for another one.")
    words = {kind: changes[kind] for kind in DimensionKind.values}
    try:
        made = draft_of(template, words, parameters=changes["parameters"], created_by=by)
    except OrderError as error:
        raise Refused(str(error)) from error
    made.pk, made.chunk = key, changes["chunk"]
    made.document = made.chunk.document if made.chunk else None
    place_in_plan(made)
    single.order(made, name=f"Generate {made}", by=by)
    return made


@transaction.atomic
def _order_draft(conversation: Conversation, changes: Mapping[str, Any], by: User) -> Conversation:
    try:
        edited = editing.update(conversation, changes, by=by)
        single.order(edited.conversation, name=f"Generate {conversation}", by=by)
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    except PlanError as error:
        raise Refused(str(error)) from error
    return edited.conversation


def _order_version(conversation: Conversation, changes: Mapping[str, Any], by: User) -> Conversation:
    try:
        return regeneration.order(conversation, changes, by=by)
    except (CannotRegenerate, PlanError) as error:
        raise Refused(str(error)) from error
