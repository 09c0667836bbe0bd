"""A template tried out: its prompt resolved, and a conversation of it that is not kept."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.conversation_serializers import QualityMetricsSerializer, SaidSerializer, ScoreField
from conversations.api.views import WorkspaceView, one_of
from conversations.models import PromptTemplate
from conversations.ordering import draft_of
from convgen.api.throttling import Group
from generation.api.asking import WordsSerializer, overrides_of, words_of
from generation.api.configuration import ConfigurationSerializer
from generation.api.errors import told
from generation.api.previewing import FORECAST, ForecastSerializer
from generation.api.written import RUN, RunSerializer
from generation.errors import GenerationError
from generation.preview import prepared, preview, used_values
from generation.runs import run_of
from generation.trial import Trial, try_out

WORDS = {"persona": "Careful saver", "emotion": "Anxious", "topic": "Building an emergency fund"}
ASKED = {**WORDS, "parameters": {"months": 3}}


class ResolutionOrderSerializer(WordsSerializer):
    configuration = ConfigurationSerializer(required=False)
    count_tokens = serializers.BooleanField(
        default=False, help_text="Have Claude count the tokens, which costs nothing, and foresee the cost."
    )


class UsedValueSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.CharField(help_text="Empty where nothing was given.")
    origin = serializers.ChoiceField(
        choices=["parameters", "conversation", "source", "default", "nothing"],
        help_text="conversation: its words, tier or category; source: the passage that it would be grounded in.",
    )
    declared = serializers.BooleanField(help_text="Whether it is one of the template's variables.")


class ResolutionSerializer(serializers.Serializer[Any]):
    system = serializers.CharField(help_text="The system prompt.")
    prompt = serializers.CharField()
    configuration = serializers.CharField(help_text="How Claude would be asked, and who says so.")
    values = UsedValueSerializer(many=True, help_text="Every name in the template's texts, in order of first use.")
    forecast = ForecastSerializer(allow_null=True, help_text="Where count_tokens asks for it.")


class TrialOrderSerializer(WordsSerializer):
    configuration = ConfigurationSerializer(required=False)


class BaselineSerializer(serializers.Serializer[Any]):
    """What the template has made before: the newest 500 that were written, by simulated Claude or by the real one."""

    score = ScoreField(allow_null=True, help_text="Their average.")
    conversations = serializers.IntegerField(min_value=0)


class TrialSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(source="reply.title")
    turns = SaidSerializer(source="reply.turns", many=True)
    simulated = serializers.BooleanField(help_text="Written by simulated Claude.")
    quality_metrics = QualityMetricsSerializer(source="report.as_json")
    baseline = BaselineSerializer()
    difference = serializers.FloatField(allow_null=True, help_text="How much better than the baseline.")
    generation = RunSerializer()


RESOLUTION = {
    "system": "You advise people who begin to save …",
    "prompt": "Write a talk between Careful saver and an adviser about the first 3 months …",
    "configuration": "claude-sonnet-5-5 (setting ANTHROPIC_MODEL), max tokens 16,000 (setting ANTHROPIC_MAX_TOKENS)",
    "values": [
        {"name": "persona", "value": "Careful saver", "origin": "conversation", "declared": False},
        {"name": "months", "value": "3", "origin": "parameters", "declared": True},
    ],
    "forecast": FORECAST,
}
TRIAL = {
    "title": "Starting small with an emergency fund",
    "turns": [
        {"role": "user", "content": "I have 400 euros at the end of a good month. Is it silly to start with that?"},
        {"role": "assistant", "content": "Not at all. What would one month without income cost you?"},
    ],
    "simulated": False,
    "quality_metrics": {"score": 8.4, "confidence": 0.86, "confidence_level": "high", "components": [], "flags": []},
    "baseline": {"score": 7.9, "conversations": 30},
    "difference": 0.5,
    "generation": RUN,
}


class TemplateView(WorkspaceView):
    also_answers = {"post": (503,)}

    def template(self, id: UUID) -> PromptTemplate:
        rows = PromptTemplate.objects.select_related("workspace").filter(workspace=self.workspace)
        template: PromptTemplate = one_of(rows, id)
        return template


class ResolveView(TemplateView):
    permissions = {"post": "conversations.view_prompttemplate"}

    @extend_schema(
        tags=["Templates"],
        operation_id="templates_resolve",
        summary="The prompt that a template would give",
        description="Creates nothing and costs nothing. Values that are missing or wrong are told by variable, as "
        "`parameters.months`.",
        request=ResolutionOrderSerializer,
        responses=ResolutionSerializer,
        examples=[
            OpenApiExample("Words and parameters", value={**ASKED, "count_tokens": True}, request_only=True),
            OpenApiExample("The prompt", value=RESOLUTION, response_only=True),
        ],
    )
    def post(self, request: Request, id: UUID) -> Response:
        asked = self.read(ResolutionOrderSerializer)
        draft = draft_of(self.template(id), words_of(asked), parameters=asked.get("parameters"))
        overrides = overrides_of(asked)
        try:
            configuration, prompt = prepared(draft, overrides=overrides)
            shown = preview(draft, overrides=overrides) if asked["count_tokens"] else None
        except GenerationError as error:
            raise told(error, overrides) from error
        resolution = {
            "system": prompt["system"][0]["text"],
            "prompt": prompt["messages"][0]["content"],
            "configuration": configuration.in_words(),
            "values": used_values(draft),
            "forecast": shown.forecast.as_json() if shown else None,
        }
        return Response(ResolutionSerializer(resolution).data)


class TryOutView(TemplateView):
    permissions = {"post": "batches.add_batchjob"}  # generating costs money
    throttle_groups = {"post": Group.GENERATIONS}

    @extend_schema(
        tags=["Templates"],
        operation_id="templates_test",
        summary="Try a template out",
        description="Claude writes one conversation, which is scored and held against what the template has made "
        "before. It is not kept, and it costs what a conversation costs: the log has it.",
        request=TrialOrderSerializer,
        responses=TrialSerializer,
        examples=[
            OpenApiExample("Words and parameters", value=ASKED, request_only=True),
            OpenApiExample("Better than before", value=TRIAL, response_only=True),
        ],
    )
    def post(self, request: Request, id: UUID) -> Response:
        asked = self.read(TrialOrderSerializer)
        template, overrides = self.template(id), overrides_of(asked)
        try:
            trial = try_out(template, words_of(asked), parameters=asked.get("parameters"), overrides=overrides)
        except GenerationError as error:
            raise told(error, overrides) from error
        return Response(_answer(trial))


def _answer(trial: Trial) -> Any:
    shown = {
        "reply": trial.reply,
        "simulated": trial.simulated,
        "report": trial.report,
        "baseline": trial.baseline,
        "difference": trial.difference,
        "generation": run_of(trial.run_id),
    }
    return TrialSerializer(shown).data
