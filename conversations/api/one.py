"""What the views of one conversation share."""

from typing import Any

from rest_framework.response import Response

from conversations.api import etags
from conversations.api.conversation_serializers import ConversationSerializer
from conversations.api.finding import PATTERN, found, shown
from conversations.api.views import WorkspaceViewSet
from conversations.models import Conversation

REVALIDATED = "private, no-cache"  # a readable id means another one in another workspace


class OneConversation(WorkspaceViewSet):
    """What concerns one conversation, which the path names."""

    queryset = Conversation.objects.all()
    lookup_url_kwarg = "id"
    lookup_value_regex = PATTERN

    def named_in_path(self) -> Conversation:
        return found(self.kwargs["id"], self.get_queryset())

    def read(self, serializer: Any) -> dict[str, Any]:
        """What the body says. Raises ValidationError."""
        given = serializer(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        return values

    def answer(self, name: Any, **options: Any) -> Response:
        """A conversation whole, with its ETag."""
        return self.answer_with(shown(self, str(name)), **options)

    def answer_with(self, conversation: Any, *, headers: dict[str, str] | None = None, **options: Any) -> Response:
        serializer = ConversationSerializer(conversation, context=self.get_serializer_context())
        tagged = {**(headers or {}), "ETag": etags.etag_of(conversation), "Cache-Control": REVALIDATED}
        return Response(serializer.data, headers=tagged, **options)
