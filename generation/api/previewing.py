"""What Claude would read, before anything is sent or spent."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.fields import Usd
from conversations.api.finding import conversation_of
from conversations.api.views import WorkspaceView
from conversations.models import Conversation
from generation.api.asking import GenerationOrderSerializer, new_draft, overrides_of
from generation.api.errors import told
from generation.errors import GenerationError
from generation.preview import preview


class TokenRangeSerializer(serializers.Serializer[Any]):
    low = serializers.IntegerField(min_value=0)
    likely = serializers.IntegerField(min_value=0)
    high = serializers.IntegerField(min_value=0)


class CostRangeSerializer(serializers.Serializer[Any]):
    low = Usd()
    likely = Usd()
    high = Usd()


class ForecastSerializer(serializers.Serializer[Any]):
    """What one conversation will probably take; nine of ten replies lie between low and high."""

    model = serializers.CharField()
    input_tokens = serializers.IntegerField(min_value=0, help_text="As Claude counts them.")
    output_tokens = TokenRangeSerializer()
    replies_known = serializers.IntegerField(
        min_value=0, help_text="Earlier replies that this is known from; 0: from the usual lengths of its tier."
    )
    cost_usd = CostRangeSerializer()
    price_assumed = serializers.BooleanField(help_text="Whether the model's price is not known.")


class PreviewSerializer(ForecastSerializer):
    system = serializers.CharField(help_text="The system prompt.")
    prompt = serializers.CharField()
    configuration = serializers.CharField(help_text="How Claude would be asked, and who says so.")


FORECAST = {
    "model": "claude-sonnet-5-5",
    "input_tokens": 2716,
    "output_tokens": {"low": 1420, "likely": 1876, "high": 2490},
    "replies_known": 30,
    "cost_usd": {"low": "0.019632", "likely": "0.024192", "high": "0.030332"},
    "price_assumed": False,
}
EXAMPLE = {
    "system": "You advise people who begin to save …",
    "prompt": "Write a talk between Careful saver and an adviser …\n\n<brief>…</brief>",
    "configuration": "claude-sonnet-5-5 (setting ANTHROPIC_MODEL), max tokens 8,000 (this run)",
    **FORECAST,
}


class PreviewView(WorkspaceView):
    """Takes what generating takes. Not an option of that: it costs nothing, and whoever may look may ask."""

    permissions = {"post": "conversations.view_conversation"}
    also_answers = {"post": (409, 503)}

    @extend_schema(
        tags=["Generation"],
        operation_id="conversations_preview",
        summary="What generating would send, and what it would probably cost",
        description="The same body as for generating. Creates nothing, and costs nothing: Claude counts the tokens.",
        request=GenerationOrderSerializer,
        responses=PreviewSerializer,
        examples=[
            OpenApiExample("A draft", value={"conversation": "TPL-0042"}, request_only=True),
            OpenApiExample("Its prompt", value=EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        asked = self.read(GenerationOrderSerializer)
        draft, overrides = self._draft(asked), overrides_of(asked)
        try:
            shown = preview(draft, parameters=asked.get("parameters"), overrides=overrides)
        except GenerationError as error:
            raise told(error, overrides) from error
        return Response(PreviewSerializer(shown.as_json()).data)

    def _draft(self, asked: dict[str, Any]) -> Conversation:
        if "template" in asked:
            return new_draft(self.workspace, asked, by=self.person)
        return conversation_of(self, asked["conversation"])
