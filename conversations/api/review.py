"""What reviewers decide (`conversations/review.py`), about one conversation or many."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api import examples
from conversations.api.conversation_serializers import LONGEST_NOTE, ConversationSerializer
from conversations.api.fields import OneOfField
from conversations.api.finding import IN_PATH
from conversations.api.one import OneConversation
from conversations.choices import Status
from conversations.models import Conversation
from conversations.naming import all_found, not_found
from conversations.review import Decided, Decision, decide
from convgen.api.errors import Conflict
from convgen.api.strict import StrictSerializer

MOST = 1_000  # conversations that are decided about at once


class DecisionSerializer(StrictSerializer):
    """What is decided, and why."""

    decision = OneOfField(Decision.choices)
    note = serializers.CharField(
        default="", allow_blank=True, max_length=LONGEST_NOTE, help_text="Why, for the review history."
    )


class DecisionsSerializer(DecisionSerializer):
    """The same about many."""

    conversation_ids = serializers.ListField(
        child=serializers.CharField(max_length=40),
        min_length=1,
        max_length=MOST,
        help_text="UUIDs or readable ids.",
    )


class RefusedSerializer(serializers.Serializer[Any]):
    conversation_id = serializers.CharField(help_text="The readable id.")
    status = serializers.ChoiceField(Status.choices, help_text="What it is, and stays.")


class DecidedSerializer(serializers.Serializer[Any]):
    """What became of a decision."""

    status = serializers.ChoiceField(Status.choices, help_text="What those changed are now.")
    changed = serializers.ListField(child=serializers.CharField(), help_text="Readable ids.")
    refused = RefusedSerializer(many=True)
    reason = serializers.CharField(help_text="Why those refused were refused; empty when none was.")


def refuse_where_refused(decided: Decided) -> None:
    """Raises Conflict when a decision has changed nothing."""
    if decided.refused and not decided.changed:
        raise Conflict(decided.reason)


@extend_schema(tags=["Review"])
class ReviewViewSet(OneConversation):
    serializer_class = DecisionSerializer
    permissions = {
        "review": "conversations.review_conversation",
        "review_many": "conversations.review_conversation",
    }
    also_answers = {"review": (409,), "review_many": (409,)}

    @extend_schema(
        summary="Approve, reject, request changes or archive",
        description="The decision is added to the review history. A conversation must be generated, pending review or "
        "in need of revision for it; everything but what is being generated can be archived.",
        request=DecisionSerializer,
        responses={200: ConversationSerializer},
        parameters=[IN_PATH],
        examples=[
            examples.sent("Changes", {"decision": "request_changes", "note": examples.DECIDED["note"]}),
            examples.answered("To be revised", examples.REVIEWED),
        ],
    )
    @action(detail=True, methods=["post"])
    def review(self, request: Request, id: str) -> Any:
        conversation = self.named_in_path()
        wanted = self.read(DecisionSerializer)
        one = Conversation.objects.filter(pk=conversation.pk)
        refuse_where_refused(decide(one, by=self.person, **_decision(wanted)))
        return self.answer(conversation.pk)

    @extend_schema(
        operation_id="conversations_review_many",
        summary="Decide about many at once",
        description="Those whose status does not allow it stay as they are, and are named. Where that is so of all of "
        "them, the answer is 409.",
        request=DecisionsSerializer,
        responses={200: DecidedSerializer},
        examples=[
            examples.sent("Approve", {"conversation_ids": ["TPL-0007", "TPL-0008"], "decision": "approve", "note": ""}),
            examples.answered(
                "One of two",
                {
                    "status": "approved",
                    "changed": ["TPL-0007"],
                    "refused": [{"conversation_id": "TPL-0008", "status": "draft"}],
                    "reason": "TPL-0008 (draft) cannot become approved: a conversation must be generated, pending "
                    "review or needs revision for that.",
                },
            ),
        ],
    )
    @action(detail=False, methods=["post"], url_path="review", url_name="review-many")
    def review_many(self, request: Request) -> Response:
        wanted = self.read(DecisionsSerializer)
        conversations, missing = all_found(wanted["conversation_ids"], self.get_queryset())
        if missing:
            raise serializers.ValidationError({"conversation_ids": not_found(missing)}, "does_not_exist")
        decided = decide(conversations, by=self.person, **_decision(wanted))
        refuse_where_refused(decided)
        refused = [{"conversation_id": readable, "status": status} for readable, status in decided.refused.items()]
        return Response(
            {
                "status": decided.status,
                "changed": decided.changed,
                "refused": refused,
                "reason": decided.reason,
            }
        )


def _decision(wanted: dict[str, Any]) -> dict[str, Any]:
    return {"decision": Decision(wanted["decision"]), "note": wanted["note"]}
