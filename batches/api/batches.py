"""Batches: estimated, started, followed, steered."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from batches import changing, control, planning
from batches.api import examples
from batches.api.batch import BatchSerializer, OrderedSerializer, RetriedSerializer
from batches.api.estimate import PlanSerializer
from batches.api.order import ChangesSerializer, OrderSerializer, order_of
from batches.api.status import BatchStatusSerializer, status_of
from batches.api.summary import SummarySerializer
from batches.choices import ENDED, Delivery, JobStatus, Priority, TierFilter
from batches.models import BatchJob
from batches.summary import summarize
from conversations.api import conditional, idempotency
from conversations.api.views import WorkspaceView, WorkspaceViewSet, one_of
from conversations.models import Workspace
from convgen.api.errors import Conflict
from convgen.api.filters import After, AnyOf, Before, OneOf, TrueOrFalse
from convgen.api.schema import LOCATION
from convgen.api.throttling import Group

CHANGE = "batches.change_batchjob"
VIEW = "batches.view_batchjob"
WHILE_IT_RUNS, AFTERWARDS = 1, 60  # seconds that a status may be kept
NOTHING_TO_DO = "There is nothing to generate: the plan is complete, or nothing that was asked for is left."


class BatchFilter(filters.FilterSet):
    status = AnyOf(JobStatus.choices)
    delivery = OneOf(Delivery.choices)
    priority = OneOf(Priority.choices)
    tier = OneOf(TierFilter.choices)
    ended = TrueOrFalse(method="by_end", help_text="Whether it has ended.")
    created_after = After("created_at")
    created_before = Before("created_at")

    class Meta:
        model = BatchJob
        fields: list[str] = []

    def by_end(self, jobs: Any, _name: str, ended: bool) -> Any:
        return jobs.filter(status__in=ENDED) if ended else jobs.exclude(status__in=ENDED)


def start(view: WorkspaceView) -> tuple[BatchJob, dict[str, str]]:
    """The batch that the request asks for, created now or by an earlier request with the same key; and headers.

    Raises `Conflict` when there is nothing to generate, and `PlanError`.
    """
    asked = view.read(OrderSerializer)
    order = order_of(asked, _whole(view.workspace), by=view.person)
    with transaction.atomic():
        once = idempotency.once(view)
        if once.made is None:
            job = planning.create(order, agreed=asked.get("agreed", ""))
            if job is None:
                raise Conflict(NOTHING_TO_DO, "nothing_to_generate")
            once.settle(job.pk)
    return one_of(BatchJob.objects.select_related("created_by"), once.made), once.headers


def _whole(workspace: Workspace) -> Workspace:
    """With how Claude is asked there, which `view.workspace` leaves out."""
    return Workspace.objects.get(pk=workspace.pk)


@extend_schema(tags=["Batches"])
@extend_schema_view(
    list=extend_schema(summary="List batches", description="The newest first.", examples=[examples.LIST]),
    retrieve=extend_schema(summary="Show a batch", examples=[examples.BATCH]),
)
class BatchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    """Many conversations at once."""

    queryset = BatchJob.objects.select_related("created_by")
    serializer_class = BatchSerializer
    filterset_class = BatchFilter
    orderings = {"created": "created_at"}
    permissions = {
        "list": VIEW,
        "retrieve": VIEW,
        "summary": VIEW,
        "status": VIEW,
        "create": "batches.add_batchjob",
        "estimate": "batches.add_batchjob",
        "partial_update": CHANGE,
        "destroy": "batches.delete_batchjob",
        "pause": CHANGE,
        "resume": CHANGE,
        "cancel": CHANGE,
        "retry_failed": CHANGE,
    }
    throttle_groups = {"create": Group.GENERATIONS, "status": Group.POLLS}
    also_answers = dict.fromkeys(
        ("create", "estimate", "partial_update", "destroy", "pause", "resume", "cancel", "retry_failed"), (409,)
    )

    @extend_schema(
        summary="Start a batch",
        description="The same as `POST /api/conversations/generate-batch/`.",
        request=OrderSerializer,
        responses={201: OrderedSerializer},
        parameters=[*idempotency.PARAMETERS, LOCATION],
        examples=[*examples.ORDERS, examples.ORDERED],
    )
    def create(self, request: Request) -> Response:
        return _started(self)

    @extend_schema(
        summary="Estimate a batch",
        description="What it would take and what that would cost. Nothing is created, and nothing is spent.",
        request=OrderSerializer,
        responses={200: PlanSerializer},
        examples=[*examples.ORDERS, examples.PLAN],
    )
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        order = order_of(self.read(OrderSerializer), _whole(self.workspace), by=self.person)
        return Response(planning.propose(order).as_json())

    @extend_schema(
        summary="Change a batch while it runs",
        description="Calls in flight, priority and budget; a running batch sees it within a second.",
        request=ChangesSerializer,
        responses={200: BatchSerializer},
        examples=[examples.CHANGES, examples.BATCH],
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        job = self.get_object()
        changes = self.read(ChangesSerializer)
        if changes and not changing.change(job.pk, changes):
            raise Conflict(f"{_state(job)} It cannot be changed any more.")
        return Response(self._as_it_is(job))

    @extend_schema(
        summary="Delete a batch that has ended",
        description="Its items go with it; the conversations stay, and what they cost stays in the log.",
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        job = self.get_object()
        if not changing.delete(job.pk):
            raise Conflict(f"{_state(job)} Cancel it, and delete it when its last calls have ended.")
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="How far a batch is",
        description="From the batch's row alone: ask as often as once a second, with the `ETag` of the last answer.",
        responses={200: BatchStatusSerializer, 304: OpenApiResponse(description="It is still as your ETag says.")},
        parameters=conditional.PARAMETERS,
        examples=[examples.STATUS],
    )
    @action(detail=True)
    def status(self, request: Request, pk: UUID) -> Any:
        job = one_of(BatchJob.objects.filter(workspace=self.workspace), pk)
        told = BatchStatusSerializer(status_of(job)).data
        return conditional.unless_known(request, told, seconds=AFTERWARDS if job.ended else WHILE_IT_RUNS)

    @extend_schema(
        summary="What a batch came to",
        description="By tier and all together, against the estimate, and why some failed.",
        responses={200: SummarySerializer},
        examples=[examples.SUMMARY],
    )
    @action(detail=True)
    def summary(self, request: Request, pk: UUID) -> Response:
        return Response(summarize(self.get_object()).as_json())

    @extend_schema(
        summary="Pause a batch",
        description="No more calls are begun; those in flight finish and are kept.",
        request=None,
        responses={200: BatchSerializer},
        examples=[examples.BATCH],
    )
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: UUID) -> Response:
        reason = f"Paused by {self.person.get_username()}."
        return self._steered(lambda key: control.pause(key, reason), "Only a batch that is processing can be paused.")

    @extend_schema(
        summary="Resume a batch",
        description="Goes on with what is left.",
        request=None,
        responses={200: BatchSerializer},
        examples=[examples.BATCH],
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: UUID) -> Response:
        return self._steered(control.resume, "Only a batch that is paused can be resumed.")

    @extend_schema(
        summary="Cancel a batch",
        description="Ends it; calls in flight finish and are kept.",
        request=None,
        responses={200: BatchSerializer},
        examples=[examples.BATCH],
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        return self._steered(control.cancel, "Only a batch that has not ended can be cancelled.")

    @extend_schema(
        summary="Queue the failed items of a batch once more",
        description="While it has not ended. What failed in one that has ended is generated by a new batch: "
        '`{"selection": "failed", "of_batch": "…"}`.',
        request=None,
        responses={200: RetriedSerializer},
        examples=[examples.RETRIED],
    )
    @action(detail=True, methods=["post"], url_path="retry-failed")
    def retry_failed(self, request: Request, pk: UUID) -> Response:
        job = self.get_object()
        if job.ended:
            body = f'{{"selection": "failed", "of_batch": "{job.pk}"}}'
            raise Conflict(f"{_state(job)} Generate what failed in a new batch: POST {body} to /api/batches/.")
        if not (retried := control.retry_failed(job.pk)):
            raise Conflict("It has no failed items that could be retried.")
        return Response({"retried": retried, "batch": self._as_it_is(job)})

    def _steered(self, act: Callable[[UUID], bool], rule: str) -> Response:
        job = self.get_object()
        if not act(job.pk):
            job.refresh_from_db(fields=["status"])
            raise Conflict(f"{_state(job)} {rule}")
        return Response(self._as_it_is(job))

    def _as_it_is(self, job: BatchJob) -> Any:
        """Read anew: what it was told to do has changed it."""
        return self.get_serializer(self.get_queryset().get(pk=job.pk)).data


class GenerateBatch(WorkspaceView):
    """Many conversations at once."""

    permissions = {"post": "batches.add_batchjob"}
    throttle_groups = {"post": Group.GENERATIONS}
    also_answers = {"post": (409,)}

    @extend_schema(
        operation_id="conversations_generate_batch",
        tags=["Generation"],
        summary="Generate many conversations",
        description="Starts a batch: by tier and selection, or of the conversations that are named. Workers run it; "
        "follow it by its `status_url`.",
        request=OrderSerializer,
        responses={201: OrderedSerializer},
        parameters=[*idempotency.PARAMETERS, LOCATION],
        examples=[*examples.ORDERS, examples.ORDERED],
    )
    def post(self, request: Request) -> Response:
        return _started(self)


def _started(view: WorkspaceView) -> Response:
    job, headers = start(view)
    told = OrderedSerializer(job, context={"request": view.request}).data
    return Response(told, status=status.HTTP_201_CREATED, headers={"Location": told["url"], **headers})


def _state(job: BatchJob) -> str:
    return f"The batch is {job.get_status_display().lower()}."
