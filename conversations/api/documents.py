"""The texts that conversations are grounded in."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from conversations import documents
from conversations.api.counting import number_of
from conversations.api.fields import UserNameField
from conversations.api.serializers import RowSerializer
from conversations.api.views import WorkspaceModelViewSet, model_permissions
from conversations.models import Chunk, Document
from convgen.api.filters import Search
from convgen.api.strict import StrictSerializer

BODY = {
    "title": "First things first",
    "source": "handbook/first-things.md",
    "text": "Keep three months of pay aside.\n---\nPay the dearest card first.",
}
SHOWN = {
    "id": "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a11",
    "title": "First things first",
    "source": "handbook/first-things.md",
    "content_hash": "3a1f2c" + "0" * 58,
    "chunk_count": 2,
    "created_by": "maria",
    "created_at": "2026-11-25T09:30:12Z",
}
LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    response=[201, 409],
    description="The document that has the text.",
)


class DocumentSerializer(RowSerializer):
    """A source text, without the text: that is in its chunks."""

    chunk_count = serializers.IntegerField(read_only=True, min_value=0, help_text="`chunks/?document=` lists them.")
    created_by = UserNameField(allow_null=True)

    class Meta:
        model = Document
        fields = ["id", "title", "source", "content_hash", "chunk_count", "created_by", "created_at"]
        read_only_fields = ["content_hash", "created_at"]


class NewDocumentSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """A source text, to be cut into chunks."""

    text = serializers.CharField(
        validators=[documents.check_text],
        help_text="All of it. A line of three dashes (`---`) begins a new chunk. Chunks can be changed later.",
    )

    class Meta:
        model = Document
        fields = ["title", "source", "text"]


class DocumentFilter(filters.FilterSet):
    search = Search("title", "source")

    class Meta:
        model = Document
        fields: list[str] = []


@extend_schema(tags=["Sources"])
@extend_schema_view(
    list=extend_schema(
        summary="List documents", examples=[OpenApiExample("A document", value=SHOWN, response_only=True)]
    ),
    retrieve=extend_schema(
        summary="Show a document", examples=[OpenApiExample("A document", value=SHOWN, response_only=True)]
    ),
    partial_update=extend_schema(
        summary="Change a document's title or source",
        description="Its text is in its chunks: `chunks/{id}/`.",
        examples=[
            OpenApiExample("A new title", value={"title": "What to do first"}, request_only=True),
            OpenApiExample("As changed", value={**SHOWN, "title": "What to do first"}, response_only=True),
        ],
    ),
    destroy=extend_schema(
        summary="Delete a document with its chunks",
        description="Conversations that are grounded in it stay, without a source.",
    ),
)
class DocumentViewSet(WorkspaceModelViewSet):
    """The texts that conversations are grounded in."""

    queryset = Document.objects.select_related("created_by").annotate(chunk_count=number_of(Chunk, by="document"))
    serializer_class = DocumentSerializer
    filterset_class = DocumentFilter
    permissions = model_permissions("conversations.document")
    also_answers = {"create": (409,)}
    orderings = {"title": "title", "created": "created_at"}
    ordering = "title"

    @extend_schema(
        summary="Take in a document",
        description="Its text is cut into chunks. A text that the workspace has already is refused with 409, which "
        "names the document and leads to it.",
        request=NewDocumentSerializer,
        responses={201: DocumentSerializer},
        parameters=[LOCATION],
        examples=[
            OpenApiExample("Two chunks", value=BODY, request_only=True),
            OpenApiExample("As created", value=SHOWN, response_only=True, status_codes=["201"]),
        ],
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        wanted = self.read(NewDocumentSerializer)
        text = wanted.pop("text")
        document = Document(workspace_id=self.workspace.pk, **wanted)
        documents.take_in(document, text, by=self.person)
        shown = self.get_serializer(self.get_queryset().get(pk=document.pk))
        location = {"Location": reverse("api-document-detail", [document.pk])}
        return Response(shown.data, status=status.HTTP_201_CREATED, headers=location)
