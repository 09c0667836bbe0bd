"""A conversation as Claude wrote it, with its turns and its score, and what writing it took."""

from typing import Any

from rest_framework import serializers

from conversations.api.conversation_serializers import ConversationSerializer
from conversations.api.fields import Usd
from generation.models import GenerationLog


class LoggedRequestSerializer(serializers.ModelSerializer[GenerationLog]):
    """One request to Claude, without what was sent and what came back."""

    class Meta:
        model = GenerationLog
        fields = [
            "id",
            "attempt",
            "model",
            "status",
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cost_usd",
            "duration_ms",
            "error_type",
            "error_message",
            "request_id",
            "created_at",
        ]


class RunSerializer(serializers.Serializer[Any]):
    """What one go took: tokens and USD of all its requests to Claude."""

    run_id = serializers.UUIDField(help_text="The same for all its rows in the generation log.")
    model = serializers.CharField(help_text="As Claude names it.")
    attempts = serializers.IntegerField(min_value=1, help_text="Requests to Claude.")
    input_tokens = serializers.IntegerField(min_value=0, help_text="Without those of the prompt cache.")
    output_tokens = serializers.IntegerField(min_value=0)
    cache_read_tokens = serializers.IntegerField(min_value=0)
    cache_write_tokens = serializers.IntegerField(min_value=0)
    cost_usd = Usd()
    duration_seconds = serializers.FloatField(
        min_value=0, help_text="From sending the first request to the end of the last, waits between them included."
    )
    requests = LoggedRequestSerializer(many=True)


class WrittenSerializer(serializers.Serializer[Any]):
    """A conversation, and what its latest generation took; null where the log does not have that any more."""

    conversation = ConversationSerializer()
    generation = RunSerializer(allow_null=True)


_REQUEST = {
    "id": "019ab6f2-9c4e-7b30-8f11-2f3a4b5c6d7e",
    "attempt": 1,
    "model": "claude-sonnet-5-5",
    "status": "succeeded",
    "input_tokens": 412,
    "output_tokens": 1876,
    "cache_read_tokens": 2304,
    "cache_write_tokens": 0,
    "cost_usd": "0.020045",
    "duration_ms": 21840,
    "error_type": "",
    "error_message": "",
    "request_id": "req_018EeWyXxfu5pfWkrYcMdjWG",
    "created_at": "2026-11-25T09:30:22Z",
}
RUN = {
    "run_id": "019ab6f2-7d41-7f02-b1c3-5a6b7c8d9e0f",
    "model": "claude-sonnet-5-5",
    "attempts": 1,
    "input_tokens": 412,
    "output_tokens": 1876,
    "cache_read_tokens": 2304,
    "cache_write_tokens": 0,
    "cost_usd": "0.020045",
    "duration_seconds": 21.84,
    "requests": [_REQUEST],
}
