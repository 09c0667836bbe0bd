"""The coverage plan: how far it is, which conversations are missing, and drafts for them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.fields import OneOfField
from conversations.api.views import WorkspaceView
from conversations.choices import Tier
from conversations.coverage import fill_gaps, gaps, standing
from convgen.api.strict import StrictSerializer

MOST_NAMED = 1_000  # values, pairs or gaps of one answer
_TIERS = [("all", "All"), *Tier.choices]
_TEMPLATE = {"template": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a13", "template_name": "Two people, one budget"}
_STANDING = {
    "tier": "template",
    **_TEMPLATE,
    "target": 6,
    "live": 4,
    "missing": 2,
    "values": [{"persona": "Careful saver", "conversations": 0}],
    "pairs": [{"persona": "Careful saver", "emotion": "Anxious", "conversations": 0}],
}
_GAP = {
    "tier": "template",
    **_TEMPLATE,
    "persona": "Careful saver",
    "emotion": "Anxious",
    "topic": "Building an emergency fund",
    "intent": "",
    "tone": "",
    "slot": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a13:…:…:…:1",
}


class TierSerializer(serializers.Serializer[Any]):
    tier = OneOfField(_TIERS, default="all")


class DraftsOrderSerializer(StrictSerializer, TierSerializer):
    """For which part of the plan."""


class StandingQuerySerializer(TierSerializer):
    least = serializers.IntegerField(
        default=10,
        min_value=0,
        max_value=MOST_NAMED,
        help_text="How many of the values, and of the pairs, that are used least each template and tier tells.",
    )


class GapsQuerySerializer(TierSerializer):
    limit = serializers.IntegerField(
        default=100, min_value=1, max_value=MOST_NAMED, help_text="How many gaps are told; all are counted."
    )


class UsedSerializer(serializers.Serializer[Any]):
    """A value, or two together, each under its kind."""

    persona = serializers.CharField(required=False)
    emotion = serializers.CharField(required=False)
    topic = serializers.CharField(required=False)
    intent = serializers.CharField(required=False)
    tone = serializers.CharField(required=False)
    conversations = serializers.IntegerField(help_text="Live conversations that have it.")


class OfTemplateSerializer(serializers.Serializer[Any]):
    tier = serializers.ChoiceField(Tier.choices)
    template = serializers.UUIDField()
    template_name = serializers.CharField()


class StandingSerializer(serializers.Serializer[Any]):
    """How far a template is, or the templates of a tier together."""

    tier = serializers.ChoiceField(Tier.choices)
    template = serializers.UUIDField(allow_null=True, help_text="Null: all of the tier.")
    template_name = serializers.CharField(allow_null=True)
    target = serializers.IntegerField(help_text="Places that the plan has.")
    live = serializers.IntegerField(help_text="Live conversations, also those outside the plan.")
    missing = serializers.IntegerField(help_text="Places without a live conversation.")
    values = UsedSerializer(many=True, help_text="The applicable values, the least used first.")
    pairs = UsedSerializer(many=True, help_text="The applicable pairs, the least used first.")


class CoverageSerializer(serializers.Serializer[Any]):
    missing = serializers.IntegerField(help_text="Places of the plan without a live conversation.")
    templates = StandingSerializer(many=True)
    tiers = StandingSerializer(many=True)


class GapSerializer(OfTemplateSerializer):
    """A place of the plan without a live conversation, and the words that its conversation should have."""

    persona = serializers.CharField(allow_blank=True, help_text="Empty, like the others: there is none of its kind.")
    emotion = serializers.CharField(allow_blank=True)
    topic = serializers.CharField(allow_blank=True)
    intent = serializers.CharField(allow_blank=True)
    tone = serializers.CharField(allow_blank=True)
    slot = serializers.CharField(help_text="The key of the place.")


class GapsSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="All gaps.")
    gaps = GapSerializer(many=True, help_text="The first of them, in the order in which they are filled.")


class DraftsSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    conversation_ids = serializers.ListField(
        child=serializers.CharField(), help_text="Readable ids, such as TPL-0001: `conversations/{id}/` takes them."
    )


@extend_schema(tags=["Coverage"])
class CoverageView(WorkspaceView):
    permissions = {"get": "conversations.view_prompttemplate"}

    @extend_schema(
        operation_id="coverage",
        summary="Show how far the plan is",
        description="For each template with a target, and each tier: its places, how many conversations live, how many "
        "are missing, and which values and pairs are used least.",
        parameters=[StandingQuerySerializer],
        responses=CoverageSerializer,
        examples=[
            OpenApiExample(
                "Two are missing",
                value={
                    "missing": 2,
                    "templates": [_STANDING],
                    "tiers": [{**_STANDING, "template": None, "template_name": None}],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        asked = self.read(StandingQuerySerializer, request.query_params)
        plan = standing(self.workspace, asked["tier"])
        return Response(plan.as_json(least=asked["least"]))


@extend_schema(tags=["Coverage"])
class GapsView(WorkspaceView):
    also_answers = {"get": (409,)}
    permissions = {"get": "conversations.view_prompttemplate"}

    @extend_schema(
        operation_id="coverage_gaps",
        summary="List the gaps of the plan",
        description="Each place without a live conversation, with the combination that has been used least.",
        parameters=[GapsQuerySerializer],
        responses=GapsSerializer,
        examples=[OpenApiExample("One gap", value={"count": 1, "gaps": [_GAP]}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        asked = self.read(GapsQuerySerializer, request.query_params)
        found = gaps(self.workspace, asked["tier"])
        return Response({"count": len(found), "gaps": [gap.as_json() for gap in found[: asked["limit"]]]})


@extend_schema(tags=["Coverage"])
class DraftsView(WorkspaceView):
    also_answers = {"post": (409,)}
    permissions = {"post": "conversations.change_conversation"}

    @extend_schema(
        operation_id="coverage_drafts_create",
        summary="Create a draft for every gap",
        description="Nothing is generated, and nothing costs. Sent again, it finds no gaps and creates nothing.",
        request=DraftsOrderSerializer,
        responses={201: DraftsSerializer},
        examples=[
            OpenApiExample("One tier", value={"tier": "scenario"}, request_only=True),
            OpenApiExample(
                "Two drafts",
                value={"created": 2, "conversation_ids": ["SCN-0041", "SCN-0042"]},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        asked = self.read(DraftsOrderSerializer)
        drafts = fill_gaps(self.workspace, asked["tier"], created_by=self.person)
        made = {"created": len(drafts), "conversation_ids": [draft.conversation_id for draft in drafts]}
        return Response(made, status=status.HTTP_201_CREATED)
