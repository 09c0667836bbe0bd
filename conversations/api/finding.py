"""Conversations as paths and bodies name them: by UUID, or by readable id."""

from typing import Any
from uuid import UUID

from rest_framework.exceptions import NotFound

from conversations.models import Conversation
from conversations.models.conversation_queries import ConversationQuerySet

PATTERN = r"[A-Za-z0-9-]{1,40}"  # in a path


def found(name: str, rows: ConversationQuerySet) -> Conversation:
    """The one of these rows that is named. Raises `NotFound`."""
    try:
        rows = rows.filter(pk=UUID(name))
    except ValueError:
        rows = rows.named(name)
    conversation = rows.first()
    if conversation is None:
        raise NotFound(f"There is no conversation {name} in this workspace.")
    return conversation


def conversation_of(view: Any, name: str) -> Conversation:
    """The same among the workspace's, with what generation reads."""
    rows = Conversation.objects.select_related("workspace", "template", "document", "chunk__document")
    return found(name, rows.filter(workspace=view.workspace))
