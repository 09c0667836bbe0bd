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
