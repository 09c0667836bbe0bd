"""Conversations: the list, one of them whole, and what people do to one by hand (`conversations/editing.py`)."""

from typing import Any

from django.db import transaction
from django.db.models import F
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import editing
from conversations.api import conditional, examples, idempotency
from conversations.api.conversation_filters import ConversationFilter
from conversations.api.conversation_serializers import (
    ConversationChangesSerializer,
    ConversationSerializer,
    ListedSerializer,
    NewConversationSerializer,
    RemovalSerializer,
)
from conversations.api.finding import IN_PATH, shown
from conversations.api.one import OneConversation, etag_of
from conversations.api.review import refuse_where_refused
from convgen.api.schema import LOCATION

LISTED = [name for name in ListedSerializer.Meta.fields if name != "template_name"]


@extend_schema(tags=["Conversations"])
@extend_schema_view(
    list=extend_schema(
        summary="List conversations",
        description="The newest first, unless ordered otherwise. The review queue is "
        "`?status=pending_review&ordering=quality`: the weakest first.",
        examples=[examples.answered("One of many", examples.LISTED)],
    )
)
class ConversationViewSet(mixins.ListModelMixin, OneConversation):
    serializer_class = ListedSerializer
    filterset_class = ConversationFilter
    permissions = {
        "list": "conversations.view_conversation",
        "retrieve": "conversations.view_conversation",
        "create": "conversations.add_conversation",
        "partial_update": "conversations.change_conversation",
        "destroy": "conversations.review_conversation",
    }
    also_answers = {"create": (409,), "partial_update": (409, 412), "destroy": (409,)}
    # Each has its index, in both directions.
    orderings = {
        "created": "created_at",
        "quality": "quality_tenths",
        "status": "status",
        "tier": "tier",
        "persona": "persona",
        "emotion": "emotion",
        "topic": "topic",
        "intent": "intent",
        "tone": "tone",
        "conversation_id": "conversation_id",
    }
    tie_breakers = ("created_at", "id")

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.action != "list":
            return rows
        return rows.only(*LISTED, "quality_tenths").annotate(template_name=F("template__name"))

    @extend_schema(
        summary="Create a draft, or a conversation with turns",
        description="Without turns, it is a draft, which waits to be generated. With turns, it is scored at once, and "
        "waits for review if its score asks for it.",
        request=NewConversationSerializer,
        responses={201: ConversationSerializer},
        parameters=[*idempotency.PARAMETERS, conditional.ETAG, LOCATION],
        examples=[
            examples.sent("A draft", examples.NEW),
            examples.sent("With turns", {"tier": "template", "title": "Lost job", "turns": examples.TURNS}),
            examples.answered("Created", examples.WHOLE, 201),
        ],
    )
    def create(self, request: Request) -> Any:
        with transaction.atomic():
            once = idempotency.once(self)
            if once.made is None:
                wanted = self.read(NewConversationSerializer)
                once.settle(editing.create(workspace=self.workspace, by=self.person, **wanted).pk)
        made = self.answer(once.made, headers=once.headers, status=status.HTTP_201_CREATED)
        made["Location"] = self.reverse_action("detail", kwargs={"id": once.made})
        return made

    @extend_schema(
        summary="One conversation, with its turns",
        responses={200: ConversationSerializer, 304: OpenApiResponse(description="It is as you know it.")},
        parameters=[IN_PATH, *conditional.PARAMETERS],
        examples=[examples.answered("To be reviewed", examples.WHOLE)],
    )
    def retrieve(self, request: Request, id: str) -> Any:
        conversation = shown(self, id)
        etag = etag_of(conversation)
        if known := conditional.known_already(request, etag):
            return conditional.marked(known, etag)
        return self.answer_with(conversation)

    @extend_schema(
        summary="Change a conversation by hand",
        description="Only what is given is changed. Turns are replaced as a whole, while the conversation waits for "
        "review or is being revised, and scored anew; a weak score sends it to review. What it is made with (persona "
        "and so on, parameters) can be changed while it is a draft, or has failed. Send `If-Match`, so that nobody's "
        "work is overwritten.",
        request=ConversationChangesSerializer,
        responses={200: ConversationSerializer},
        parameters=[IN_PATH, conditional.EXPECTED, conditional.ETAG],
        examples=[
            examples.sent("A title and the turns", {"title": "After a lost job", "turns": examples.TURNS}),
            examples.answered("Changed", examples.WHOLE),
        ],
    )
    def partial_update(self, request: Request, id: str) -> Any:
        conversation = shown(self, id)
        changes = self.read(ConversationChangesSerializer)
        if not conditional.is_expected(request, etag_of(conversation)):
            raise editing.EditedMeanwhile
        seen = None if conditional.expected_etags(request) is None else conversation.updated_at
        editing.update(conversation, changes, by=self.person, seen=seen)
        return self.answer(conversation.pk)

    @extend_schema(
        summary="Archive a conversation, or delete it for good",
        description="Archived, it can still be read, and its place in the plan is free again. With `hard=true`, which "
        "takes the permission to delete conversations, it is gone with its turns and edits; what it cost stays in the "
        "log.",
        parameters=[IN_PATH, RemovalSerializer],
        responses={204: OpenApiResponse(description="It is archived, or gone.")},
    )
    def destroy(self, request: Request, id: str) -> Response:
        asked = self.read(RemovalSerializer, request.query_params)
        conversation = self.named_in_path()
        if asked["hard"]:
            editing.delete(conversation, by=self.person)
        else:
            refuse_where_refused(editing.archive(conversation, by=self.person, note=asked["note"]))
        return Response(status=status.HTTP_204_NO_CONTENT)
