"""Training files: made, recorded, handed out."""

from typing import Any

from django.db import transaction
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from conversations.api import conditional, idempotency
from conversations.api.fields import NamesField, OneOfField, UserNameField
from conversations.api.file_response import FileInBlocks
from conversations.api.views import WorkspaceViewSet
from conversations.choices import WITH_TURNS, ExportFormat, ExportStatus, Status
from conversations.exporting import RECORDED_SCOPES, SCOPES, TIERS, Choice, export_choice, file_of, is_here, new_path
from conversations.models import Export, Workspace
from convgen.api.filters import OneOf
from convgen.api.pages import Pages
from convgen.api.schema import LOCATION
from convgen.api.strict import StrictSerializer

JSONL = "application/jsonl"
STATUSES = [status.value for status in WITH_TURNS]
_ID = "01939a52-7f00-7cc2-9f6a-3f8f6b1f2a14"
SHOWN = {
    "id": _ID,
    "created_by": "maria",
    "created_at": "2026-11-25T09:30:12Z",
    "format": "openai",
    "scope": "approved",
    "statuses": ["approved"],
    "tier": "all",
    "include_simulated": False,
    "conversation_count": 86,
    "skipped_count": 1,
    "byte_count": 412_733,
    "status": "completed",
    "expires_at": None,
    "download_url": f"https://convgen.example.com/api/exports/{_ID}/download/",
}
SHOWN_WHOLE = {**SHOWN, "conversation_ids": [], "skipped": {"TPL-0007": "it does not end with the assistant"}}


class ExportSerializer(serializers.ModelSerializer[Any]):
    """The record of an export."""

    created_by = UserNameField(allow_null=True)
    scope = serializers.ChoiceField(
        RECORDED_SCOPES,
        read_only=True,
        help_text="Which conversations: a status, all, several statuses, or some that were chosen one by one.",
    )
    statuses = serializers.SerializerMethodField(help_text="What those taken could be, at the time.")
    tier = serializers.SerializerMethodField(help_text="Of this tier alone.")
    include_simulated = serializers.SerializerMethodField(help_text="Whether simulated conversations are in it.")
    skipped_count = serializers.SerializerMethodField(help_text="Conversations left out as no valid example.")
    download_url = serializers.SerializerMethodField(help_text="Null: the file is not on this machine.")

    class Meta:
        model = Export
        fields = list(SHOWN)
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(STATUSES)))
    def get_statuses(self, export: Export) -> list[str]:
        return list(export.filters.get("statuses", [export.scope] if export.scope in STATUSES else STATUSES))

    @extend_schema_field(serializers.ChoiceField(TIERS))
    def get_tier(self, export: Export) -> str:
        return str(export.filters.get("tier", "all"))

    def get_include_simulated(self, export: Export) -> bool:
        return bool(export.filters.get("include_simulated"))

    def get_skipped_count(self, export: Export) -> int:
        return len(export.skipped)

    def get_download_url(self, export: Export) -> str | None:
        here = is_here(export, self.context["view"].workspace)
        return reverse("api-export-download", [export.pk], request=self.context["request"]) if here else None


class WholeExportSerializer(ExportSerializer):
    """The same, with what was chosen one by one, and what was left out."""

    conversation_ids = serializers.SerializerMethodField(
        help_text="Readable ids of those that were chosen one by one; else empty."
    )
    skipped = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="Readable ids of those left out, and why each."
    )

    class Meta(ExportSerializer.Meta):
        fields = list(SHOWN_WHOLE)
        read_only_fields = fields

    def get_conversation_ids(self, export: Export) -> list[str]:
        return list(export.filters.get("chosen", []))


class NewExportSerializer(StrictSerializer):
    """What is to be exported."""

    format = OneOfField(ExportFormat.choices, default=ExportFormat.OPENAI)
    scope = OneOfField(
        SCOPES,
        required=False,
        help_text="A status, or all that have turns. Left out: approved, or what else is chosen.",
    )
    statuses = serializers.ListField(
        child=OneOfField(STATUSES), required=False, allow_empty=False, help_text="Several, instead of scope."
    )
    tier = OneOfField(TIERS, default="all", help_text="Of this tier alone.")
    conversation_ids = NamesField(
        required=False,
        help_text="These conversations, by UUID or readable id; instead of scope, statuses and tier.",
    )
    include_simulated = serializers.BooleanField(
        default=False, help_text="Conversations of simulated Claude, too. They are no training data."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        by_kind = {"scope", "statuses"} & attrs.keys()
        if "conversation_ids" in attrs and (by_kind or attrs["tier"] != "all"):
            raise serializers.ValidationError(
                {"conversation_ids": "Name conversations, or choose them by status and tier; not both."}, "one_of"
            )
        if len(by_kind) > 1:
            raise serializers.ValidationError({"statuses": "Give either scope or statuses; not both."}, "one_of")
        return attrs


class ExportFilter(filters.FilterSet):
    format = OneOf(ExportFormat.choices)
    scope = OneOf([(scope, scope) for scope in RECORDED_SCOPES])
    status = OneOf(ExportStatus.choices)

    class Meta:
        model = Export
        fields: list[str] = []


class LinesRenderer(JSONRenderer):
    """For clients that accept the file's media type alone: an error is one line of JSON."""

    media_type = JSONL
    format = "jsonl"


@extend_schema(tags=["Exports"])
@extend_schema_view(
    list=extend_schema(summary="List exports", examples=[OpenApiExample("One", value=SHOWN, response_only=True)]),
    retrieve=extend_schema(
        summary="Show an export", examples=[OpenApiExample("One", value=SHOWN_WHOLE, response_only=True)]
    ),
)
class ExportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    """Training files. Who took which data when stays on record."""

    queryset = Export.objects.select_related("created_by")
    filterset_class = ExportFilter
    permissions = {
        "list": "conversations.view_export",
        "retrieve": "conversations.view_export",
        "create": "conversations.add_export",
        "download": "conversations.add_export",  # to take the data along is what an export is
    }
    also_answers = {"create": (409, 503)}

    def get_serializer_class(self) -> type[ExportSerializer]:
        return ExportSerializer if self.action == "list" else WholeExportSerializer

    @extend_schema(
        summary="Export conversations",
        description="Writes a training file and records it. 409 when there is nothing to export, or when "
        "one that is named is not written, or out of use.",
        request=NewExportSerializer,
        responses={201: WholeExportSerializer},
        parameters=[*idempotency.PARAMETERS, LOCATION],
        examples=[
            OpenApiExample("What was approved", value={"format": "openai", "scope": "approved"}, request_only=True),
            OpenApiExample(
                "Several statuses of a tier",
                value={"statuses": ["generated", "approved"], "tier": "scenario"},
                request_only=True,
            ),
            OpenApiExample("One by one", value={"conversation_ids": ["TPL-0007", "TPL-0008"]}, request_only=True),
            OpenApiExample("As made", value=SHOWN_WHOLE, response_only=True, status_codes=["201"]),
        ],
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        wanted = self.read(NewExportSerializer)
        with transaction.atomic():
            once = idempotency.once(self)
            if once.made is None:
                once.settle(self._export(wanted).pk)
            export = self.get_queryset().get(pk=once.made)
        headers = {**once.headers, "Location": reverse("api-export-detail", [export.pk])}
        return Response(self.get_serializer(export).data, status=status.HTTP_201_CREATED, headers=headers)

    def _export(self, wanted: dict[str, Any]) -> Export:
        workspace = Workspace.objects.get(pk=self.workspace.pk)  # with its system prompt
        choice, file_format = _choice(wanted, workspace), wanted["format"]
        path = new_path(workspace, file_format=file_format, scope=choice.scope)
        return export_choice(workspace, choice, path=path, file_format=file_format, created_by=self.person)

    @extend_schema(
        summary="Download an export's file",
        description="404 when the file is no longer on the machine that answers, or was written to a place of its own.",
        responses={
            (200, JSONL): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="You have it: a file never changes."),
        },
        parameters=[
            *conditional.PARAMETERS,
            OpenApiParameter(
                "Content-Disposition", location=OpenApiParameter.HEADER, response=[200], description="The file's name."
            ),
        ],
        examples=[
            OpenApiExample(
                "One line of it",
                value='{"messages": [{"role": "user", "content": "Where do I begin?"}, '
                '{"role": "assistant", "content": "With what you owe."}]}\n',
                media_type=JSONL,
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    @action(detail=True, renderer_classes=[JSONRenderer, Pages, LinesRenderer])
    def download(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        export = self.get_object()
        path = file_of(export, self.workspace)
        etag = f'"{export.pk}"'
        answer = conditional.known_already(request, etag)
        if answer is None:
            answer = FileInBlocks(path.open("rb"), as_attachment=True, filename=path.name, content_type=JSONL)
        return conditional.marked(answer, etag)


def _choice(wanted: dict[str, Any], workspace: Workspace) -> Choice:
    simulated = wanted["include_simulated"]
    if names := wanted.get("conversation_ids"):
        return Choice.of_names(names, workspace, include_simulated=simulated)
    statuses = wanted.get("statuses") or [wanted.get("scope", Status.APPROVED.value)]
    return Choice.of_statuses(statuses, tier=wanted["tier"], include_simulated=simulated)
