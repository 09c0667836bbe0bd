"""`regenerate`: a conversation is written anew, as the next version of its chain."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from conversations import versions
from conversations.models import Conversation
from convgen.models import User
from generation import claims
from generation.configuration import Overrides
from generation.errors import NotRegenerable
from generation.saving import ZERO
from generation.service import generate


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
    version, claim = _claimed(conversation_id, changes, by)
    try:
        return generate(version.pk, overrides=overrides, claim=claim)
    except BaseException:
        claims.give_back(version.pk, claim, ZERO)  # it is still held when generation could not even begin
        raise


@transaction.atomic
def _claimed(conversation_id: UUID, changes: Mapping[str, Any] | None, by: User | None) -> tuple[Conversation, UUID]:
    """The new version, prepared and claimed at once: of two callers one wins, with the parameters that it gave."""
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    if conversation is None:
        raise NotRegenerable("The conversation has been deleted.")
    try:
        version = versions.prepare(conversation, changes, by=by)
    except versions.CannotRegenerate as error:
        raise NotRegenerable(str(error)) from error
    return version, claims.take_one(version.pk, claim=uuid4())
