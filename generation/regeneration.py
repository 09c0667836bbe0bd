"""`regenerate`: a conversation is written anew, as the next version of its chain."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from conversations import versions
from conversations.models import Conversation
from convgen.models import User
from generation import claims
from generation.configuration import Overrides
from generation.errors import NotRegenerable
from generation.service import generate_claimed


def regenerate(
    conversation_id: UUID,
    *,
    changes: Mapping[str, Any] | None = None,
    overrides: Overrides | None = None,
    by: User | None = None,
) -> Conversation:
    """Generate the next version of a conversation of the scope, and return it as it is afterwards.

    `changes` are those of `versions.prepare`, `overrides` say how Claude is asked this once. The former version is
    archived when the new one is saved; it stays as it was when that fails, and calling this again takes up what has
    failed. Raises `NotRegenerable`, and what `generate` does.
    """
    with transaction.atomic():  # prepared and claimed at once: of two callers one wins, with what it gave
        version = prepare(conversation_id, changes, by=by)
        claim = claims.take_one(version.pk)
    return generate_claimed(version.pk, claim, overrides=overrides)


def prepare(conversation_id: UUID, changes: Mapping[str, Any] | None, *, by: User | None) -> Conversation:
    """The next version, ready to be claimed. Raises `NotRegenerable`."""
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    if conversation is None:
        raise NotRegenerable("The conversation has been deleted.")
    try:
        return versions.prepare(conversation, changes, by=by)
    except versions.CannotRegenerate as error:
        raise NotRegenerable(str(error)) from error
