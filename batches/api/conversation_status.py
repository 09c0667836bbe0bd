"""`GET conversations/{id}/status/`: how far a conversation is, cheap to ask for often."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.reverse import reverse

from batches.api.generating_examples import WRITING
from batches.conversation_progress import STEP, Progress, progress_of
from conversations.api import conditional
from conversations.api.finding import IN_PATH, found
from conversations.api.views import WorkspaceView
from conversations.choices import Status
from conversations.models import Conversation
from convgen.api.throttling import Group
from generation.errors import by_code

MAX_AGE = 2  # seconds: how often the pages ask

# Of its own row, what an answer needs. What says how Claude is asked is read where the time remaining depends on it.
COLUMNS = (
    *("conversation_id", "status", "turn_count", "tier", "claim", "updated_at", "failure_type", "failure_message"),
    *("workspace_id", "template_id"),
)


class FailureSerializer(serializers.Serializer[Any]):
    type = serializers.CharField(source="failure_type", help_text="The stable name of what went wrong: rate_limited.")
    message = serializers.CharField(source="failure_message")
    next_step = serializers.SerializerMethodField(help_text="What to do about it.")
    worth_retrying = serializers.SerializerMethodField(
        help_text="Whether it may succeed when it is tried again as it is."
    )

    def get_next_step(self, conversation: Conversation) -> str:
        return by_code(conversation.failure_type).next_step

    def get_worth_retrying(self, conversation: Conversation) -> bool:
        return by_code(conversation.failure_type).worth_retrying


class ProgressSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    conversation_id = serializers.CharField(help_text="The readable id.")
    status = serializers.ChoiceField(choices=Status.choices)
    percentage = serializers.IntegerField(
        min_value=0, max_value=100, help_text="While Claude writes it, from the time that such requests took lately."
    )
    current_step = serializers.CharField(help_text="What happens to it at the moment, in words.")
    batch = serializers.UUIDField(allow_null=True, help_text="The batch that is at it, or that it waits in.")
    items_before = serializers.IntegerField(
        allow_null=True, min_value=0, help_text="Conversations of that batch that come before it."
    )
    seconds_remaining = serializers.IntegerField(
        allow_null=True, min_value=0, help_text="Until it is probably done; null: not known, or nothing is under way."
    )
    estimated_completion = serializers.DateTimeField(allow_null=True)
    as_of = serializers.DateTimeField(help_text=f"When that was so: at most {STEP} seconds ago.")
    failure = FailureSerializer(allow_null=True)
    conversation_url = serializers.URLField()
    batch_url = serializers.URLField(allow_null=True)


def status_address(conversation: Conversation) -> str:
    return reverse("api-conversation-status", [conversation.pk])


def conversation_address(conversation: Conversation, request: Request | None = None) -> str:
    return reverse("api-conversation-detail", [conversation.pk], request=request)


def progress_data(progress: Progress, request: Request) -> Any:
    conversation, told = progress.conversation, progress.told()
    return ProgressSerializer(
        {
            "id": conversation.pk,
            "conversation_id": conversation.conversation_id,
            "status": conversation.status,
            **vars(told),
            "current_step": told.step,
            "as_of": progress.moment if progress.moves else progress.now,
            "failure": conversation if conversation.status == Status.FAILED else None,
            "conversation_url": conversation_address(conversation, request),
            "batch_url": reverse("api-batch-detail", [told.batch], request=request) if told.batch else None,
        }
    ).data


class ConversationStatusView(WorkspaceView):
    permissions = {"get": "conversations.view_conversation"}
    throttle_groups = {"get": Group.POLLS}

    @extend_schema(
        tags=["Conversations"],
        operation_id="conversations_status",
        summary="How far a conversation is",
        description=f"Made to be asked every {MAX_AGE} seconds with the last answer's `ETag` in `If-None-Match`: as "
        "long as nothing has changed, the answer is an empty 304. What moves with time (percentage, time remaining) "
        f"moves every {STEP} seconds.",
        parameters=[
            IN_PATH,
            *conditional.PARAMETERS,
        ],
        responses={200: ProgressSerializer, 304: OpenApiResponse(description="Nothing has changed.")},
        examples=[OpenApiExample("Claude writes it", value=WRITING, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request, id: str) -> Any:
        progress = progress_of(found(id, Conversation.objects.filter(workspace=self.workspace).only(*COLUMNS)))
        etag = f'"{progress.fingerprint}"'
        return conditional.unless_known_by(request, etag, lambda: progress_data(progress, request), seconds=MAX_AGE)
