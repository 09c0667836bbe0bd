"""Prompt templates in bodies: as they are listed, shown and written; their history and their statistics."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations import applicability, template_history
from conversations.api.fields import JsonList, NumberField
from conversations.applicability import APPLICABLE, Choices
from conversations.choices import DimensionKind
from conversations.models import PromptTemplate
from generation.api.configured import ConfiguredSerializer
from generation.prompts.template import NAME_PATTERN
from generation.writable import check_prompt, check_variables

MOST_NAMED = 500  # dimensions of a kind that a template can name
LONGEST_ELEMENT = 500  # characters

BODY = {
    "name": "Two people, one budget",
    "description": "A couple with different habits.",
    "tier": "template",
    "category": "budgeting",
    "structure": "Write a talk between {{persona}}, who feels {{emotion}}, and an adviser about {{topic}}. {{hint}}",
    "system_prompt": "You write training conversations for financial planners.",
    "variables": [{"name": "hint", "type": "text", "required": False, "default": ""}],
    "required_elements": ["next step | next steps"],
    "quality_threshold": 7.5,
    "target_count": 6,
    "personas": ["Careful saver"],
    "topics": [],
}
LISTED = {
    "id": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a13",
    "name": "Two people, one budget",
    "description": "A couple with different habits.",
    "tier": "template",
    "category": "budgeting",
    "tone": "",
    "quality_threshold": 7.5,
    "target_count": 6,
    "active": True,
    "version": 3,
    "usage_count": 41,
    "live_conversations": 5,
    "rating": None,
    "created_at": "2026-11-02T09:30:12Z",
    "updated_at": "2026-11-25T09:30:12Z",
}
SHOWN = {
    **LISTED,
    "structure": BODY["structure"],
    "system_prompt": BODY["system_prompt"],
    "variables": BODY["variables"],
    "style_notes": "",
    "example_conversation": "",
    "required_elements": BODY["required_elements"],
    "personas": ["Careful saver"],
    "emotions": [],
    "topics": [],
    "model": "",
    "max_tokens": None,
    "effort": "",
    "temperature": None,
    "top_p": None,
}
_WORD = {"oneOf": [{"type": "string"}, {"type": "number"}]}
_VARIABLE = {
    "type": "object",
    "properties": {
        "name": {
            "type": "string",
            "pattern": f"^{NAME_PATTERN.pattern}$",
            "description": "As in {{name}}: letters, digits and underscores.",
        },
        "type": {"type": "string", "enum": ["text", "number", "dropdown"]},
        "required": {"type": "boolean", "default": False},
        "default": _WORD,
        "help_text": {"type": "string", "default": ""},
        "options": {"type": "array", "items": _WORD, "description": "Of a dropdown."},
    },
    "required": ["name", "type"],
}


@extend_schema_field({"type": "array", "items": _VARIABLE})
class VariablesField(JsonList):
    """The values that the texts ask for, beside the dimensions and the source."""


class MeantForField(serializers.ListField):
    """Names of the dimensions of one kind that a template is meant for. Written by names or ids."""

    def __init__(self, kind: DimensionKind, **options: Any) -> None:
        self.kind = kind
        plural = f"{kind.value}s"
        help_text = f"Which {plural} it is meant for, by name; ids can be sent, too. Empty: all of them."
        child = serializers.CharField(max_length=200)
        super().__init__(
            source=kind.value, child=child, max_length=MOST_NAMED, required=False, help_text=help_text, **options
        )

    def get_attribute(self, template: PromptTemplate) -> list[str]:
        meant = [each.dimension for each in template.applicability.all() if each.dimension.kind == self.kind]
        return [dimension.name for dimension in sorted(meant, key=lambda one: (one.position, one.name))]

    def to_internal_value(self, names: Any) -> Any:
        serializer: Any = self.parent
        return applicability.named(
            super().to_internal_value(names),
            kind=self.kind,
            workspace=serializer.context["view"].workspace,
            template=serializer.instance,
        )


class TemplateSerializer(ConfiguredSerializer):
    """A template whole."""

    quality_threshold = NumberField(
        max_digits=3,
        decimal_places=1,
        min_value=0,
        max_value=10,
        required=False,
        help_text="The score, 0 to 10, that its conversations are expected to reach.",
    )
    rating = NumberField(
        max_digits=2,
        decimal_places=1,
        min_value=0,
        max_value=5,
        required=False,
        allow_null=True,
        help_text="The curators' own rating, 0 to 5.",
    )
    live_conversations = serializers.SerializerMethodField(
        help_text="Conversations that are neither archived nor rejected: what counts towards the target."
    )
    variables = VariablesField(
        required=False, validators=[check_variables], help_text="The values that its texts ask for."
    )
    required_elements = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_ELEMENT),
        required=False,
        max_length=MOST_NAMED,
        help_text="Words that the assistant must say; alternatives are divided by |.",
    )
    personas = MeantForField(DimensionKind.PERSONA)
    emotions = MeantForField(DimensionKind.EMOTION)
    topics = MeantForField(DimensionKind.TOPIC)

    class Meta:
        model = PromptTemplate
        fields = list(SHOWN)
        read_only_fields = ["version", "usage_count", "created_at", "updated_at"]
        extra_kwargs = {
            "structure": {"validators": [check_prompt]},
            "system_prompt": {"validators": [check_prompt]},
            "version": {"help_text": "Raised by every change that makes other conversations."},
            "usage_count": {"help_text": "Conversations that were generated with it."},
            "active": {"help_text": "Inactive ones are kept, but not planned with."},
        }

    def get_live_conversations(self, template: PromptTemplate) -> int:
        live: int = self.context["view"].usages[template.pk].seen[()]
        return live

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        super().validate({name: value for name, value in attrs.items() if name not in APPLICABLE})
        return attrs

    @property
    def values(self) -> dict[str, Any]:
        """What was sent of the template's own."""
        return {name: value for name, value in self.validated_data.items() if name not in APPLICABLE}

    @property
    def meant_for(self) -> Choices:
        """What was sent of dimensions."""
        return {kind: self.validated_data[kind] for kind in APPLICABLE if kind in self.validated_data}


class ListedTemplateSerializer(TemplateSerializer):
    """A template as one of many: without its long texts."""

    class Meta(TemplateSerializer.Meta):
        fields = list(LISTED)


class FieldChangeSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()


class ChangeSerializer(serializers.Serializer[Any]):
    """One change of a template."""

    version = serializers.IntegerField(help_text="The template's, after it.")
    kind = serializers.ChoiceField(template_history.Kind.choices)
    changed_at = serializers.DateTimeField()
    changed_by = serializers.CharField(
        allow_null=True, help_text="The user name; null: a command, or nobody who is still known."
    )
    changes = FieldChangeSerializer(many=True, help_text="None where it was created or deleted.")


class ResultsSerializer(serializers.Serializer[Any]):
    """Of some conversations; null where there are none to tell it of."""

    conversations = serializers.IntegerField()
    average_quality = serializers.FloatField(allow_null=True, help_text="0 to 10, of those with a score.")
    approval_rate = serializers.FloatField(allow_null=True, help_text="0 to 1: approved, of those decided on.")
    average_cost_usd = serializers.DecimalField(
        max_digits=12, decimal_places=6, allow_null=True, help_text="USD, of those written, with failed attempts."
    )
    average_input_tokens = serializers.IntegerField(allow_null=True)
    average_output_tokens = serializers.IntegerField(allow_null=True)


class MonthSerializer(serializers.Serializer[Any]):
    month = serializers.DateField(help_text="Its first day.")
    results = ResultsSerializer()


class StatisticsSerializer(serializers.Serializer[Any]):
    usage_count = serializers.IntegerField(help_text="Conversations generated with it, deleted ones included.")
    by_status = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many conversations are in each status."
    )
    results = ResultsSerializer(help_text="Of all its conversations.")
    trend = MonthSerializer(
        many=True, help_text="By the month in which they were created: the last twelve that have any, oldest first."
    )
