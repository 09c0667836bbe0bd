"""A conversation as Claude wrote it, with its turns and its score, and what writing it took."""

from typing import Any

from rest_framework import serializers

from conversations.api.fields import Usd
from conversations.choices import Status, Tier, TurnRole
from conversations.models import Conversation, Turn
from generation.models import GenerationLog


class GeneratedTurnSerializer(serializers.ModelSerializer[Turn]):
    role = serializers.ChoiceField(choices=TurnRole.choices)

    class Meta:
        model = Turn
        fields = ["position", "role", "content", "token_count"]


class ScoredComponentSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    actual = serializers.CharField(help_text="What was found.")
    target = serializers.CharField(help_text="What scores ten.")
    weight = serializers.FloatField(min_value=0, max_value=1, help_text="Its share of the score.")
    score = serializers.FloatField(min_value=0, max_value=10)
    finding = serializers.CharField()
    advice = serializers.CharField(help_text="What to do; empty where all is well.")


class FlagSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    message = serializers.CharField()


class ScoreReportSerializer(serializers.Serializer[Any]):
    """A score with its components, advice and flags."""

    score = serializers.FloatField(min_value=0, max_value=10)
    confidence = serializers.FloatField(min_value=0, max_value=1)
    confidence_level = serializers.CharField(help_text="high, medium or low.")
    components = ScoredComponentSerializer(many=True)
    flags = FlagSerializer(many=True)


class GeneratedConversationSerializer(serializers.ModelSerializer[Conversation]):
    tier = serializers.ChoiceField(choices=Tier.choices)
    status = serializers.ChoiceField(choices=Status.choices)
    quality = ScoreReportSerializer(source="quality_metrics")
    parameters = serializers.DictField(help_text="The values of the template's placeholders.")
    turns = GeneratedTurnSerializer(many=True)

    class Meta:
        model = Conversation
        fields = [
            "id",
            "conversation_id",
            "title",
            "status",
            "tier",
            "template",
            "template_version",
            "document",
            "chunk",
            "persona",
            "emotion",
            "topic",
            "intent",
            "tone",
            "category",
            "parameters",
            "quality_score",
            "quality",
            "turn_count",
            "turns",
            "cost_usd",
            "model",
            "simulated",
            "version",
            "parent",
            "created_at",
            "updated_at",
        ]


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

    conversation = GeneratedConversationSerializer()
    generation = RunSerializer(allow_null=True)
