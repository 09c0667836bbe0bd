"""Conversations as paths and bodies name them: by UUID, or by readable id."""

from typing import Any
from uuid import UUID

from django.urls import register_converter
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound

from conversations.models import Conversation
from conversations.models.conversation_queries import ConversationQuerySet

PATTERN = r"[A-Za-z0-9-]{1,40}"  # in a path
IN_PATH = OpenApiParameter(
    "id",
    location=OpenApiParameter.PATH,
    pattern=f"^{PATTERN}$",
    description="The conversation's UUID, or its readable id (`TPL-0001`), however it is capitalised.",
)


class InPath:
    """`<conversation:id>` in a path."""

    regex = PATTERN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: Any) -> str:
        return str(value)


register_converter(InPath, "conversation")


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
