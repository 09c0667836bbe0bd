"""A regeneration for a worker: the next version, and a batch of one that writes it."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from batches import single
from conversations import versions
from conversations.models import Conversation
from convgen.models import User


@transaction.atomic
def order(conversation: Conversation, changes: Mapping[str, Any], *, by: User) -> Conversation:
    """Prepare the next version, and let workers write it before what waits already; the version.

    `changes` are those of `versions.prepare`. Raises its `CannotRegenerate`, and `PlanError` when a batch is at the
    version already; then nothing is changed.
    """
    version = versions.prepare(conversation, changes, by=by)
    single.order(version, name=f"Regenerate {conversation}", by=by)
    return version
