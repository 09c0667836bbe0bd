"""`POST conversations/generate/` and `conversations/{id}/regenerate/`: at once, or by the workers.

What is asked for is settled (the draft, the claim on it, the request's key) in one short transaction, before Claude is
asked: a request that is sent again finds what the first one has made, whatever became of it.
"""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from batches import single
from batches.api.conversation_status import (
    MAX_AGE,
    ProgressSerializer,
    conversation_address,
    progress_data,
    status_address,
)
from batches.api.generating_examples import ORDER, REGENERATION, WAITING, WRITTEN
from batches.conversation_progress import progress_of
from conversations.api import idempotency
from conversations.api.fields import OfWorkspace
from conversations.api.finding import IN_PATH, conversation_of, shown
from conversations.api.idempotency import Once
from conversations.api.views import WorkspaceView
from conversations.choices import Status
from conversations.models import Chunk, Conversation
from convgen.api.errors import Conflict
from convgen.api.throttling import Group
from generation import claims, regeneration
from generation.api.asking import (
    GenerationOrderSerializer,
    WordsSerializer,
    overrides_of,
    placed,
    prefers_async,
)
from generation.api.configuration import ConfigurationSerializer
from generation.api.errors import kept
from generation.api.written import WrittenSerializer
from generation.configuration import Overrides
from generation.endpoint import endpoint
from generation.errors import GenerationError, NotClaimable
from generation.preview import prepared
from generation.runs import latest_run
from generation.service import generate_claimed

GENERATED = 201
ACCEPTED = 202
APPLIED = {"Preference-Applied": "respond-async"}

Make = Callable[[], Conversation]

HEADERS = [
    *idempotency.PARAMETERS,
    OpenApiParameter(
        "Prefer",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        enum=["respond-async"],
        description="With `respond-async` the workers write it, before what waits already, and the answer comes at "
        "once: 202, with the address of its status.",
    ),
    OpenApiParameter(
        "Location",
        OpenApiTypes.URI,
        OpenApiParameter.HEADER,
        response=[GENERATED, ACCEPTED],
        description="Where it is; with 202, where its status is.",
    ),
]
RESPONSES = {
    GENERATED: WrittenSerializer,
    ACCEPTED: OpenApiResponse(ProgressSerializer, description="The workers write it: see its status."),
}

ANSWERS = [
    OpenApiExample("Written", value=WRITTEN, response_only=True, status_codes=[str(GENERATED)]),
    OpenApiExample("The workers write it", value=WAITING, response_only=True, status_codes=[str(ACCEPTED)]),
]


class RegenerationSerializer(WordsSerializer):
    """What the next version is made with where that differs. `parameters` replace the former ones as a whole."""

    category = serializers.CharField(required=False, allow_blank=True, max_length=100)
    chunk = OfWorkspace(
        required=False, allow_null=True, queryset=Chunk.objects.all(), help_text="The source; null: none."
    )
    configuration = ConfigurationSerializer(required=False)


class GeneratingView(WorkspaceView):
    """Has Claude write what `make` prepares, or what an earlier request with the same key has prepared."""

    permissions = {"post": "batches.add_batchjob"}
    throttle_groups = {"post": Group.GENERATIONS}
    also_answers = {"post": (409, 503)}
    again: str  # how the client tries what has failed once more

    def answered(self, request: Request, make: Make, overrides: Overrides, *, name: str) -> Response:
        if prefers_async(request):
            return self._queued(make, overrides, name)
        endpoint()  # what nobody would answer is not made
        return self._written(make, overrides)

    def _written(self, make: Make, overrides: Overrides) -> Response:
        draft: Conversation | None = None
        try:
            with transaction.atomic():
                once, draft = self._settled(make)
                claim = None if once.replayed and draft.written else _claimed(draft)
        except NotClaimable as error:
            raise _busy(error, draft) from error
        if claim:
            draft = self._generated(draft, claim, overrides)
        return self._made(draft, once)

    def _generated(self, draft: Conversation, claim: UUID, overrides: Overrides) -> Conversation:
        try:
            return generate_claimed(draft.pk, claim, overrides=overrides)
        except GenerationError as error:
            draft = Conversation.objects.filter(pk=draft.pk).first() or draft
            raise kept(
                error, overrides, draft, again=self.again.format(draft), location=status_address(draft)
            ) from error

    def _queued(self, make: Make, overrides: Overrides, name: str) -> Response:
        with transaction.atomic():
            once, draft = self._settled(make)
            if not (once.replayed and (draft.written or progress_of(draft).moves)):
                single.order(draft, name=name.format(draft), by=self.person, overrides=overrides)
        body = progress_data(progress_of(self._with_all(draft)), self.request)
        headers = {**once.headers, **APPLIED, "Location": status_address(draft), "Retry-After": str(MAX_AGE)}
        return Response(body, ACCEPTED, headers=headers)

    def _settled(self, make: Make) -> tuple[Once, Conversation]:
        """The conversation, and whether an earlier request has settled it. Within the caller's transaction."""
        once = idempotency.once(self)
        if once.made:
            return once, conversation_of(self, str(once.made))
        draft = make()
        once.settle(draft.pk)
        return once, draft

    def _made(self, draft: Conversation, once: Once) -> Response:
        written = {"conversation": shown(self, str(draft.pk)), "generation": latest_run(draft)}
        body = WrittenSerializer(written, context={"request": self.request}).data
        return Response(body, GENERATED, headers={**once.headers, "Location": conversation_address(draft)})

    def _with_all(self, draft: Conversation) -> Conversation:
        return conversation_of(self, str(draft.pk))


class GenerateView(GeneratingView):
    again = 'send {{"conversation": "{0}"}}, or the same again with its Idempotency-Key.'

    @extend_schema(
        tags=["Generation"],
        operation_id="conversations_generate",
        summary="Generate one conversation",
        description="Has Claude write a draft or failed conversation, or a new one that is made of a template and the "
        "workspace's personas, emotions and topics. The answer comes when it is written, which takes up to a few "
        "minutes; with `Prefer: respond-async`, at once. When Claude fails, the conversation is kept (its status is at "
        "`Location`), and the same request with the same `Idempotency-Key` tries that one again.",
        parameters=HEADERS,
        request=GenerationOrderSerializer,
        responses=RESPONSES,
        examples=[
            OpenApiExample("A new one", value=ORDER, request_only=True),
            OpenApiExample("A draft", value={"conversation": "TPL-0042"}, request_only=True),
            *ANSWERS,
        ],
    )
    def post(self, request: Request) -> Response:
        asked = self.read(GenerationOrderSerializer)
        return self.answered(request, lambda: placed(self, asked), overrides_of(asked), name="Generate {0}")


class RegenerateView(GeneratingView):
    again = "regenerate the current version again to take it up. That one stays as it was."

    @extend_schema(
        tags=["Generation"],
        operation_id="conversations_regenerate",
        summary="Write a conversation anew, as its next version",
        description="What is not in the body stays as it was. The present version is archived when the next one is "
        "saved, and stays as it is when that fails. A regeneration that failed before is taken up.",
        parameters=[
            IN_PATH,
            *HEADERS,
        ],
        request=RegenerationSerializer,
        responses=RESPONSES,
        examples=[
            OpenApiExample("With another emotion", value=REGENERATION, request_only=True),
            *ANSWERS,
        ],
    )
    def post(self, request: Request, id: str) -> Response:
        former = conversation_of(self, id)
        asked = self.read(RegenerationSerializer)
        overrides = overrides_of(asked)
        changes = {name: value for name, value in asked.items() if name != "configuration"}

        def next_version() -> Conversation:
            version = regeneration.prepare(former.pk, changes, by=self.person)
            prepared(self._with_all(version), overrides=overrides)
            return version

        return self.answered(request, next_version, overrides, name=f"Regenerate {former}")


def _claimed(draft: Conversation) -> UUID:
    """A claim on it. Raises `NotClaimable`, also where a batch would find it gone when its turn comes."""
    if draft.status != Status.GENERATING and single.open_item(draft):
        raise NotClaimable(f"{draft} waits in a batch, which will write it: see its status.")
    return claims.take_one(draft.pk)


def _busy(error: NotClaimable, draft: Conversation | None) -> Conflict:
    """A conversation that cannot be generated now: where its status is, and when to look there again."""
    if draft is None:
        return Conflict(str(error), error.code())
    now = Conversation.objects.filter(pk=draft.pk).first()
    waits = {"Retry-After": str(MAX_AGE)} if now and progress_of(now).moves else {}
    return Conflict(str(error), error.code(), headers={"Location": status_address(draft), **waits})
