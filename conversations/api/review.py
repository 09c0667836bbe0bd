"""What reviewers decide (`conversations/review.py`), about one conversation or many."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api import conditional, examples
from conversations.api.conversation_serializers import LONGEST_NOTE, ConversationSerializer
from conversations.api.fields import OneOfField
from conversations.api.finding import IN_PATH, shown
from conversations.api.one import OneConversation, etag_of
from conversations.choices import Status
from conversations.models import Conversation
from conversations.models.conversation_queries import ConversationQuerySet
from conversations.naming import all_found, listed, not_found
from conversations.review import Decided, Decision, decide
from convgen.api.errors import Conflict, PreconditionFailed
from convgen.api.strict import StrictSerializer
from convgen.text import as_key

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
    seen = serializers.DictField(
        child=serializers.DateTimeField(),
        required=False,
        help_text="The `updated_at` of what you have read, by UUID or readable id: those that were changed since stay "
        "as they are.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = {_plain(name) for name in attrs["conversation_ids"]}
        if strange := [name for name in attrs.get("seen", {}) if _plain(name) not in names]:
            said = f"Write each as in conversation_ids, where there is no {listed(strange)}."
            raise serializers.ValidationError({"seen": said}, "does_not_exist")
        return attrs


class RefusedSerializer(serializers.Serializer[Any]):
    conversation_id = serializers.CharField(help_text="The readable id.")
    status = serializers.ChoiceField(Status.choices, help_text="What it is, and stays.")


class DecidedSerializer(serializers.Serializer[Any]):
    """What became of a decision."""

    status = serializers.ChoiceField(Status.choices, help_text="What those changed are now.")
    changed = serializers.ListField(child=serializers.CharField(), help_text="Readable ids.")
    refused = RefusedSerializer(many=True)
    outdated = serializers.ListField(
        child=serializers.CharField(), help_text="Readable ids of those that were changed since you read them."
    )
    reason = serializers.CharField(
        help_text="Why those refused and outdated stay as they are; empty when there are none."
    )


def refuse_where_refused(decided: Decided) -> None:
    """Raises Conflict when a decision has changed nothing."""
    if decided.left and not decided.changed:
        raise Conflict(decided.reason)


@extend_schema(tags=["Review"])
class ReviewViewSet(OneConversation):
    serializer_class = DecisionSerializer
    permissions = {
        "review": "conversations.review_conversation",
        "review_many": "conversations.review_conversation",
    }
    also_answers = {"review": (409, 412), "review_many": (409,)}

    @extend_schema(
        summary="Approve, reject, request changes or archive",
        description="The decision is added to the review history. A conversation must be generated, pending review or "
        "in need of revision for it; everything but what is being generated can be archived. Send `If-Match`, so that "
        "nothing is decided about a text that somebody has changed since you read it.",
        request=DecisionSerializer,
        responses={200: ConversationSerializer},
        parameters=[IN_PATH, conditional.EXPECTED, conditional.ETAG],
        examples=[
            examples.sent("Changes", {"decision": "request_changes", "note": examples.DECIDED["note"]}),
            examples.answered("To be revised", examples.REVIEWED),
        ],
    )
    @action(detail=True, methods=["post"])
    def review(self, request: Request, id: str) -> Any:
        conversation = shown(self, id)
        wanted = self.read(DecisionSerializer)
        if not conditional.is_expected(request, etag_of(conversation)):
            raise _changed(conversation)
        expects = conditional.expected_etags(request) is not None
        one = Conversation.objects.filter(pk=conversation.pk)
        seen = {conversation.pk: conversation.updated_at} if expects else {}
        decided = decide(one, by=self.person, seen=seen, **_decision(wanted))
        if decided.outdated:
            raise _changed(conversation)
        refuse_where_refused(decided)
        return self.answer(conversation.pk)

    @extend_schema(
        operation_id="conversations_review_many",
        summary="Decide about many at once",
        description="Those whose status does not allow it stay as they are, and are named; with `seen`, also those "
        "that somebody has changed since you read them. Where that is so of all of them, the answer is 409.",
        request=DecisionsSerializer,
        responses={200: DecidedSerializer},
        examples=[
            examples.sent("Approve", {"conversation_ids": ["TPL-0007", "TPL-0008"], "decision": "approve", "note": ""}),
            examples.sent(
                "What you have read",
                {
                    "conversation_ids": ["TPL-0007"],
                    "decision": "approve",
                    "seen": {"TPL-0007": "2026-11-25T09:30:12.345678Z"},
                },
            ),
            examples.answered(
                "One of two",
                {
                    "status": "approved",
                    "changed": ["TPL-0007"],
                    "refused": [{"conversation_id": "TPL-0008", "status": "draft"}],
                    "outdated": [],
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
        seen = _seen(conversations, wanted.get("seen", {}))
        decided = decide(conversations, by=self.person, seen=seen, **_decision(wanted))
        refuse_where_refused(decided)
        refused = [{"conversation_id": readable, "status": status} for readable, status in decided.refused.items()]
        return Response(
            {
                "status": decided.status,
                "changed": decided.changed,
                "refused": refused,
                "outdated": decided.outdated,
                "reason": decided.reason,
            }
        )


def _decision(wanted: dict[str, Any]) -> dict[str, Any]:
    return {"decision": Decision(wanted["decision"]), "note": wanted["note"]}


def _seen(conversations: ConversationQuerySet, given: Mapping[str, datetime]) -> dict[UUID, datetime]:
    """By key what was given by either name. What is given by both must hold by both: the earlier one does."""
    if not given:
        return {}
    moments: dict[UUID | str, datetime] = {}
    for name, moment in given.items():
        moments[_plain(name)] = min(moment, moments.get(_plain(name), moment))
    by_key: dict[UUID, datetime] = {}
    for pk, readable in conversations.values_list("pk", "conversation_id"):
        if found := [moments[name] for name in (pk, readable.casefold()) if name in moments]:
            by_key[pk] = min(found)
    return by_key


def _plain(name: str) -> UUID | str:
    """The same for one name, however it is written."""
    return as_key(name) or name.strip().casefold()


def _changed(conversation: Conversation) -> PreconditionFailed:
    return PreconditionFailed(f"{conversation} has been changed since you read it. Read it again, then decide.")
