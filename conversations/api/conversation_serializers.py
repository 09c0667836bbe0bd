"""Conversations in bodies: as they are listed, as they are shown whole, and as they are written."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations import versions
from conversations.api.fields import JsonObject, OfWorkspace, OneOfField
from conversations.choices import DimensionKind, ParentType, Tier, TurnRole
from conversations.models import Chunk, Conversation, Document, PromptTemplate, Turn
from conversations.review import Decision
from conversations.turns import LONGEST_TURN, MOST_TURNS
from convgen.api.strict import StrictSerializer

LONGEST_NOTE = 2_000  # characters of what a reviewer writes with a decision
LONGEST_NOTES = 10_000  # characters of what reviewers note in the conversation itself

# --- What is shown


class ScoreField(serializers.FloatField):
    """0.0 to 10.0, a number: DRF writes decimals as texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": 10, **options})


class ListedSerializer(serializers.ModelSerializer[Any]):
    """A conversation as one of many: without its turns and what else is long."""

    template_name = serializers.CharField(read_only=True, allow_null=True, help_text="Null: it has no template.")
    quality_score = ScoreField(read_only=True, allow_null=True, help_text="0.0 to 10.0; null: it has no turns yet.")

    class Meta:
        model = Conversation
        fields = [
            "id",
            "conversation_id",
            "title",
            "status",
            "tier",
            *DimensionKind.values,
            "category",
            "template",
            "template_name",
            "template_version",
            "document",
            "chunk",
            "quality_score",
            "turn_count",
            "input_tokens",
            "output_tokens",
            "cost_usd",
            "model",
            "simulated",
            "failure_type",
            "failure_message",
            "version",
            "parent",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "template_version": {"help_text": "The template's, when it was ordered or generated."},
            "cost_usd": {"help_text": "USD, of all attempts."},
            "parent": {"help_text": "The version that this one replaces, or is to replace."},
            "persona": {"help_text": "These five are the words it was made with, or is to be."},
        }


class TurnSerializer(serializers.ModelSerializer[Any]):
    class Meta:
        model = Turn
        fields = ["position", "role", "content", "token_count"]
        read_only_fields = fields
        extra_kwargs = {"position": {"help_text": "1 for the first."}}


class ComponentSerializer(serializers.Serializer[Any]):
    """What one rule says: what is, what should be, and what to do."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    actual = serializers.CharField()
    target = serializers.CharField()
    weight = serializers.FloatField(min_value=0, max_value=1, help_text="Its share of the score.")
    score = ScoreField()
    finding = serializers.CharField()
    advice = serializers.CharField(help_text="Empty where nothing is to be done.")


class FlagSerializer(serializers.Serializer[Any]):
    """A reason to look."""

    name = serializers.CharField(help_text="For programs.")
    message = serializers.CharField(help_text="For people.")


class QualityMetricsSerializer(serializers.Serializer[Any]):
    """How the score comes about."""

    score = ScoreField()
    confidence = serializers.FloatField(min_value=0, max_value=1)
    confidence_level = serializers.ChoiceField(["high", "medium", "low"])
    components = ComponentSerializer(many=True)
    flags = FlagSerializer(many=True)


class ReviewEntrySerializer(serializers.Serializer[Any]):
    """One decision, as it stays on record."""

    at = serializers.DateTimeField()
    by = serializers.CharField(help_text="The user name; empty: nobody's decision, or no user's any more.")
    by_id = serializers.CharField()
    decision = serializers.ChoiceField([*Decision.choices, (versions.SUPERSEDED, "Superseded by a new version")])
    note = serializers.CharField()
    score = ScoreField(allow_null=True, help_text="As it was then.")


class ConversationSerializer(ListedSerializer):
    """A conversation whole."""

    turns = TurnSerializer(many=True, read_only=True)
    quality_metrics = serializers.SerializerMethodField(help_text="Null: it has no turns yet.")
    review_history = serializers.SerializerMethodField(help_text="The latest decision last.")
    parent_type = serializers.ChoiceField(ParentType.choices, read_only=True, allow_blank=True)
    created_by = serializers.CharField(
        source="author", read_only=True, allow_null=True, help_text="The user name; null: nobody, or no user any more."
    )
    parameters = JsonObject(read_only=True, help_text="Values of the template's placeholders.")
    versions_url = serializers.HyperlinkedIdentityField(
        view_name="api-version-versions", lookup_url_kwarg="id", help_text="All versions of it, and which is current."
    )
    edits_url = serializers.HyperlinkedIdentityField(
        view_name="api-edit-list", lookup_url_kwarg="id", help_text="What people changed by hand."
    )

    class Meta(ListedSerializer.Meta):
        fields = [
            *ListedSerializer.Meta.fields,
            "parent_type",
            "slot",
            "created_by",
            "parameters",
            "quality_metrics",
            "reviewer_notes",
            "review_history",
            "turns",
            "versions_url",
            "edits_url",
        ]
        read_only_fields = fields

    # What is stored as JSON is not gone through once more.

    @extend_schema_field(QualityMetricsSerializer(allow_null=True))
    def get_quality_metrics(self, conversation: Conversation) -> Any:
        return conversation.quality_metrics or None

    @extend_schema_field(ReviewEntrySerializer(many=True))
    def get_review_history(self, conversation: Conversation) -> Any:
        return conversation.review_history


# --- What is written


class SaidSerializer(serializers.Serializer[Any]):
    """A turn, as somebody writes it."""

    role = OneOfField(TurnRole.choices)
    content = serializers.CharField(max_length=LONGEST_TURN, trim_whitespace=False)


class WordField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 200, "required": False, "allow_blank": True, **options})


class ConversationChangesSerializer(StrictSerializer):
    """What a person may change; what is left out stays as it is."""

    title = WordField(max_length=300)
    category = WordField(max_length=100)
    reviewer_notes = WordField(max_length=LONGEST_NOTES)
    persona = WordField(help_text="This and what follows to “parameters”: only before it is generated.")
    emotion = WordField()
    topic = WordField()
    intent = WordField()
    tone = WordField()
    parameters = JsonObject(required=False, help_text="Values of the template's placeholders; all of them.")
    turns = serializers.ListField(
        child=SaidSerializer(),
        required=False,
        min_length=1,
        max_length=MOST_TURNS,
        help_text="The whole dialogue as it is to be, once it is generated. It is scored anew.",
    )


class NewConversationSerializer(ConversationChangesSerializer):
    """A conversation to be: a draft, or, with turns, one that is written already."""

    tier = OneOfField(Tier.choices, required=False, help_text="Needed where no template has one.")
    template = OfWorkspace(queryset=PromptTemplate.objects.all(), required=False, allow_null=True)
    chunk = OfWorkspace(
        queryset=Chunk.objects.all(), required=False, allow_null=True, help_text="The source that it is grounded in."
    )
    document = OfWorkspace(
        queryset=Document.objects.all(), required=False, allow_null=True, help_text="Without it, the chunk's."
    )


class RemovalSerializer(serializers.Serializer[Any]):
    hard = serializers.BooleanField(default=False, help_text="Delete it for good; else it is archived.")
    note = serializers.CharField(
        default="", allow_blank=True, max_length=LONGEST_NOTE, help_text="Why, for the review history."
    )
