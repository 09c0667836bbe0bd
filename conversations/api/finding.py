"""Conversations as paths and bodies name them: by UUID, or by readable id."""

from typing import Any

from django.db.models import F
from django.urls import register_converter
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound

from conversations.models import Conversation
from conversations.models.conversation_queries import ConversationQuerySet
from convgen.text import as_key

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
    pk = as_key(name)
    conversation = (rows.filter(pk=pk) if pk else rows.named(name)).first()
    if conversation is None:
        raise NotFound(f"There is no conversation {name} in this workspace.")
    return conversation


def conversation_of(view: Any, name: str) -> Conversation:
    """The same among the workspace's, with what generation reads."""
    rows = Conversation.objects.select_related("workspace", "template", "document", "chunk__document")
    return found(name, rows.filter(workspace=view.workspace))


def shown(view: Any, name: str) -> Any:
    """The same with what is shown beside its own values: `template_name` and `author`, a user name."""
    rows = Conversation.objects.filter(workspace=view.workspace)
    rows = rows.annotate(template_name=F("template__name"), author=F("created_by__username"))
    return found(name, rows)
