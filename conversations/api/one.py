"""What the views of one conversation share."""

from typing import Any

from rest_framework.response import Response

from conversations.api import conditional
from conversations.api.conversation_serializers import ConversationSerializer
from conversations.api.finding import found, shown
from conversations.api.views import WorkspaceViewSet
from conversations.models import Conversation


def etag_of(conversation: Any) -> str:
    """Another one after every change of the conversation, and of the names that are shown with it.

    Expects a row of `finding.shown`.
    """
    return conditional.etag_of([conversation.updated_at, conversation.template_name, conversation.author])


class OneConversation(WorkspaceViewSet):
    """What concerns one conversation, which the path names."""

    queryset = Conversation.objects.all()
    lookup_url_kwarg = "id"
    lookup_value_converter = "conversation"

    def named_in_path(self) -> Conversation:
        return found(self.kwargs["id"], self.get_queryset())

    def answer(self, name: Any, **options: Any) -> Any:
        """A conversation whole, with its ETag."""
        return self.answer_with(shown(self, str(name)), **options)

    def answer_with(self, conversation: Any, **options: Any) -> Any:
        serializer = ConversationSerializer(conversation, context=self.get_serializer_context())
        return conditional.marked(Response(serializer.data, **options), etag_of(conversation))
