"""The passages of documents that conversations are grounded in."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import documents
from conversations.api.counting import number_of
from conversations.api.fields import JsonObject, OfWorkspace
from conversations.api.serializers import RowSerializer
from conversations.api.views import WorkspaceModelViewSet, model_permissions
from conversations.models import Chunk, Conversation, Document
from convgen.api.filters import Search

ABOUT = {"labels": ["saving"], "topics": ["Building an emergency fund"], "complexity": "low", "confidence": 0.9}
BODY = {
    "document": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a11",
    "text": "Keep three months of pay aside.",
    "dimensions": ABOUT,
}
SHOWN = {
    "id": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a12",
    "document": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a11",
    "document_title": "First things first",
    "position": 1,
    "text": "Keep three months of pay aside.",
    "dimensions": ABOUT,
    "conversation_count": 4,
}
_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "labels": {**_TEXTS, "description": "Words that say what it is about."},
            "topics": {**_TEXTS, "description": "Names of topics: the plan grounds their conversations in it."},
            "complexity": {"type": "string", "enum": list(documents.COMPLEXITIES)},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "additionalProperties": {},
    }
)
class AboutField(JsonObject):
    """What a chunk is about."""


class ChunkSerializer(RowSerializer):
    """A passage of a document."""

    document = OfWorkspace(queryset=Document.objects.all(), help_text="It stays in its document.")
    document_title = serializers.CharField(source="document.title", read_only=True)
    dimensions = AboutField(required=False, validators=[documents.check_dimensions], help_text="What it is about.")
    conversation_count = serializers.IntegerField(
        read_only=True, default=0, min_value=0, help_text="Conversations that are grounded in it."
    )

    class Meta:
        model = Chunk
        fields = ["id", "document", "document_title", "position", "text", "dimensions", "conversation_count"]
        kept = ["document"]
        extra_kwargs = {
            "position": {"required": False, "min_value": 1, "help_text": "Its place in the document. Default: last."}
        }
        validators: list[Any] = []  # the model's own say it

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        if self.instance is None and "position" not in attrs:
            attrs = {**attrs, "position": documents.next_position(attrs["document"])}
        return super().validate(attrs)


class ChunkFilter(filters.FilterSet):
    document = filters.UUIDFilter("document_id", help_text="The document's id.")
    search = Search("text")
    label = filters.CharFilter(method="with_word", help_text="One of its labels, as it is written there.")
    topic = filters.CharFilter(method="with_word", help_text="One of its topics, as it is written there.")

    class Meta:
        model = Chunk
        fields: list[str] = []

    def with_word(self, rows: QuerySet[Chunk], name: str, value: str) -> QuerySet[Chunk]:
        return rows.filter(**{f"dimensions__{name}s__contains": [value]})


@extend_schema(tags=["Sources"])
@extend_schema_view(
    list=extend_schema(summary="List chunks", examples=[OpenApiExample("A chunk", value=SHOWN, response_only=True)]),
    retrieve=extend_schema(
        summary="Show a chunk", examples=[OpenApiExample("A chunk", value=SHOWN, response_only=True)]
    ),
    create=extend_schema(
        summary="Add a chunk to a document",
        examples=[
            OpenApiExample("At the end", value=BODY, request_only=True),
            OpenApiExample(
                "As created", value={**SHOWN, "conversation_count": 0}, response_only=True, status_codes=["201"]
            ),
        ],
    ),
    partial_update=extend_schema(
        summary="Change a chunk",
        description="What is left out stays; `dimensions` are replaced whole. Conversations that were grounded in it "
        "stay as they are.",
        examples=[
            OpenApiExample("What it is about", value={"dimensions": ABOUT}, request_only=True),
            OpenApiExample("As changed", value=SHOWN, response_only=True),
        ],
    ),
    destroy=extend_schema(
        summary="Delete a chunk", description="Conversations that are grounded in it stay, without it."
    ),
)
class ChunkViewSet(WorkspaceModelViewSet):
    """The passages of documents that conversations are grounded in."""

    queryset = Chunk.objects.select_related("document").annotate(conversation_count=number_of(Conversation, by="chunk"))
    serializer_class = ChunkSerializer
    filterset_class = ChunkFilter
    permissions = model_permissions("conversations.chunk")
    orderings = {"position": "position", "created": "id"}
    ordering = "position"

    @transaction.atomic  # of two that are added at the end, the second waits until the first is there
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)
