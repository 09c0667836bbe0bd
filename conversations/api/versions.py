"""The versions of a conversation, any two of them side by side, and what people changed in one by hand."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import versions
from conversations.api import examples
from conversations.api.conversation_serializers import SaidSerializer, ScoreField
from conversations.api.fields import UserNameField
from conversations.api.finding import IN_PATH, found
from conversations.api.one import OneConversation
from conversations.api.views import WorkspaceViewSet
from conversations.choices import TurnRole
from conversations.comparison import compare
from conversations.models import Conversation, Edit

VIEW = "conversations.view_conversation"
PLAIN = {"type": ["string", "number"]}  # nulls are the fields'


class VersionSerializer(serializers.ModelSerializer[Any]):
    """One version of a conversation."""

    quality_score = ScoreField(read_only=True, allow_null=True)

    class Meta:
        model = Conversation
        fields = [
            "id",
            "conversation_id",
            "version",
            "status",
            "parent",
            "quality_score",
            "turn_count",
            "cost_usd",
            "created_at",
        ]
        read_only_fields = fields
        extra_kwargs = {"parent": {"help_text": "The version that it replaces, or is to replace."}}


class ChainSerializer(serializers.Serializer[Any]):
    """All versions of a conversation that there are, by number."""

    current = serializers.CharField(help_text="The readable id of the version that counts.")
    under_way = serializers.CharField(
        allow_null=True, help_text="The one that is to replace it, and is not written yet; null: there is none."
    )
    versions = VersionSerializer(many=True)


@extend_schema_field(PLAIN)
class PlainField(serializers.Field[Any, Any, Any, Any]):
    """A text, a number, or null."""

    def to_representation(self, value: Any) -> Any:
        return value


class DifferenceSerializer(serializers.Serializer[Any]):
    """A fact that is not the same in both; null where one has it not."""

    group = serializers.ChoiceField(["conversation", "parameters", "quality"])
    label = serializers.CharField()  # type: ignore[assignment]
    before = PlainField(allow_null=True)
    after = PlainField(allow_null=True)


class SegmentSerializer(serializers.Serializer[Any]):
    """Without those added, the segments are the earlier text; without those removed, the later."""

    change = serializers.ChoiceField(["equal", "added", "removed"])
    text = serializers.CharField()


class TurnPairSerializer(serializers.Serializer[Any]):
    """One turn of each, or of one alone."""

    change = serializers.ChoiceField(["equal", "changed", "added", "removed"])
    role = serializers.ChoiceField(TurnRole.choices)
    before_position = serializers.IntegerField(allow_null=True, min_value=1)
    after_position = serializers.IntegerField(allow_null=True, min_value=1)
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)
    segments = SegmentSerializer(many=True, help_text="Those of a changed turn.")


class ComparisonSerializer(serializers.Serializer[Any]):
    """What became different from one version to another, and all turns of both."""

    before = serializers.CharField(help_text="Its readable id.")
    after = serializers.CharField(help_text="Its readable id.")
    differences = DifferenceSerializer(many=True)
    turns = TurnPairSerializer(many=True)


class BeforeSerializer(serializers.Serializer[Any]):
    before = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=40,
        help_text="The earlier one: any conversation of the workspace, by UUID or readable id. Without it, the "
        "version that this one has replaced.",
    )


class EditSerializer(serializers.ModelSerializer[Any]):
    """One edit by hand."""

    edited_by = UserNameField(allow_null=True)
    turns_before = serializers.SerializerMethodField(help_text="As they were; null where they stayed.")
    score_before = ScoreField(read_only=True, allow_null=True)
    score_after = ScoreField(read_only=True, allow_null=True)

    class Meta:
        model = Edit
        fields = ["id", "edited_at", "edited_by", "fields", "turns_before", "score_before", "score_after"]
        read_only_fields = fields

    @extend_schema_field(SaidSerializer(many=True, allow_null=True))
    def get_turns_before(self, edit: Edit) -> Any:
        return edit.turns_before


@extend_schema(tags=["Versions"])
class VersionViewSet(OneConversation):
    permissions = {"versions": VIEW, "compare": VIEW}

    @extend_schema(
        summary="All versions of a conversation",
        responses={200: ChainSerializer},
        parameters=[IN_PATH],
        examples=[examples.answered("Regenerated once", examples.VERSIONS)],
    )
    @action(detail=True)
    def versions(self, request: Request, id: str) -> Response:
        chain = versions.chain(self.named_in_path())
        under_way = chain.under_way
        return Response(
            {
                "current": chain.current.conversation_id,
                "under_way": under_way.conversation_id if under_way else None,
                "versions": VersionSerializer(chain.versions, many=True).data,
            }
        )

    @extend_schema(
        summary="What became different from one version to another",
        responses={200: ComparisonSerializer},
        parameters=[IN_PATH, BeforeSerializer],
        examples=[examples.answered("A changed turn", examples.COMPARED)],
    )
    @action(detail=True)
    def compare(self, request: Request, id: str) -> Response:
        after = self.named_in_path()
        return Response(compare(self._before(after), after).as_json())

    def _before(self, after: Conversation) -> Conversation:
        name = self.read(BeforeSerializer, self.request.query_params)["before"] or str(after.parent_id or "")
        if not name:
            raise _wrong(f"{after} has replaced no other version: name the one to compare it with.", "required")
        try:
            return found(name, self.get_queryset())
        except NotFound as error:
            raise _wrong(str(error.detail), "does_not_exist") from error


def _wrong(sentence: str, code: str) -> serializers.ValidationError:
    return serializers.ValidationError({"before": [serializers.ErrorDetail(sentence, code)]})


@extend_schema(tags=["Versions"])
@extend_schema_view(
    list=extend_schema(
        summary="What people changed by hand, the latest first",
        parameters=[IN_PATH],
        examples=[examples.answered("Turns and title", examples.EDIT)],
    )
)
class EditViewSet(mixins.ListModelMixin, WorkspaceViewSet):
    queryset = Edit.objects.all()
    serializer_class = EditSerializer
    permissions = {"list": VIEW}
    orderings = {"edited": "edited_at"}
    ordering = "-edited"

    def get_queryset(self) -> Any:
        edits = super().get_queryset()
        if "id" not in self.kwargs:  # the schema asks
            return edits
        mine = Conversation.objects.filter(workspace=self.workspace)
        return edits.filter(conversation=found(self.kwargs["id"], mine)).select_related("edited_by")
