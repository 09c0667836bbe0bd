"""Personas, emotions, topics, intents and tones."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from conversations import dimension_deletion
from conversations.api.fields import JsonObject
from conversations.api.serializers import RowSerializer
from conversations.api.views import WorkspaceModelViewSet, model_permissions
from conversations.choices import DimensionKind
from conversations.models import Dimension
from convgen.api.filters import OneOf, Search, TrueOrFalse

BODY = {
    "kind": "persona",
    "name": "Anxious planner",
    "description": "Plans everything twice and still worries. Wants to hear that the plan holds.",
    "attributes": {"age": 41, "household": "two children"},
    "active": True,
    "position": 3,
}
SHOWN = {"id": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a10", **BODY}


class DimensionSerializer(RowSerializer):
    """One value of one axis along which conversations vary."""

    attributes = JsonObject(required=False, help_text="Whatever else is known of it. Claude does not read it.")

    class Meta:
        model = Dimension
        fields = ["id", "kind", "name", "description", "attributes", "active", "position"]
        kept = ["kind"]
        extra_kwargs = {
            "name": {"help_text": "Conversations carry it; once of each kind."},
            "position": {"help_text": "Its place in lists of its kind."},
        }


class DimensionFilter(filters.FilterSet):
    kind = OneOf(DimensionKind.choices)
    active = TrueOrFalse(help_text="Whether it is planned with.")
    search = Search("name", "description")

    class Meta:
        model = Dimension
        fields: list[str] = []


@extend_schema(tags=["Dimensions"])
@extend_schema_view(
    list=extend_schema(
        summary="List dimensions", examples=[OpenApiExample("A persona", value=SHOWN, response_only=True)]
    ),
    retrieve=extend_schema(
        summary="Show a dimension", examples=[OpenApiExample("A persona", value=SHOWN, response_only=True)]
    ),
    create=extend_schema(
        summary="Create a dimension",
        examples=[
            OpenApiExample("A new persona", value=BODY, request_only=True),
            OpenApiExample("As created", value=SHOWN, response_only=True, status_codes=["201"]),
        ],
    ),
    partial_update=extend_schema(
        summary="Change a dimension",
        description="What is left out stays. The kind cannot be changed. Conversations keep the name that they were "
        "made with.",
        examples=[
            OpenApiExample("No longer planned with", value={"active": False}, request_only=True),
            OpenApiExample("As changed", value={**SHOWN, "active": False}, response_only=True),
        ],
    ),
    destroy=extend_schema(
        summary="Delete a dimension",
        description="Refused with 409 while templates are meant for it: without it they would be meant for all of its "
        "kind. Conversations keep the word that they were made with.",
    ),
)
class DimensionViewSet(WorkspaceModelViewSet):
    """Personas, emotions, topics, intents and tones."""

    queryset = Dimension.objects.all()
    serializer_class = DimensionSerializer
    filterset_class = DimensionFilter
    permissions = model_permissions("conversations.dimension")
    also_answers = {"destroy": (409,)}
    orderings = {"position": "position", "name": "name"}
    ordering = "position"
    tie_breakers = ("name", "id")

    def perform_destroy(self, dimension: Any) -> None:
        dimension_deletion.delete(dimension)
