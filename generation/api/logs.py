"""The generation log: every request to Claude, and what they add up to."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.fields import Usd
from conversations.api.views import WorkspaceViewSet
from conversations.models import Conversation
from convgen.api.filters import After, AnyOf, Before
from generation.log_statistics import SpanRefused, span_of, summed_up
from generation.models import GenerationLog, LogStatus

TAG = "Generation log"
VIEW = "generation.view_generationlog"


class GenerationLogSerializer(serializers.ModelSerializer[GenerationLog]):
    """One request to Claude; what was sent and what came back is in its detail."""

    status = serializers.ChoiceField(choices=LogStatus.choices)

    class Meta:
        model = GenerationLog
        fields = [
            "id",
            "run_id",
            "attempt",
            "conversation",
            "template",
            "model",
            "status",
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cost_usd",
            "cache_saving_usd",
            "price_assumed",
            "duration_ms",
            "error_type",
            "error_message",
            "request_id",
            "message_batch_id",
            "created_at",
        ]


class GenerationLogDetailSerializer(GenerationLogSerializer):
    request = serializers.JSONField(help_text="As it was sent to Claude, without the key.")
    response = serializers.JSONField(help_text="As it came back; null when nothing came.")

    class Meta(GenerationLogSerializer.Meta):
        fields = [*GenerationLogSerializer.Meta.fields, "request", "response"]


class GenerationLogFilter(filters.FilterSet):
    conversation = filters.CharFilter(method="of_conversation", max_length=40, help_text="Its id or readable id.")
    template = filters.UUIDFilter(field_name="template_id")
    status = AnyOf(LogStatus.choices)
    error_type = filters.CharFilter(max_length=60, help_text="The name of an error, such as rate_limited.")
    model = filters.CharFilter(max_length=100, help_text="As Claude named it.")
    created_after = After("created_at")
    created_before = Before("created_at")
    run_id = filters.UUIDFilter(help_text="All attempts at one conversation in one go.")
    message_batch_id = filters.CharFilter(max_length=100, help_text="Anthropic's id of a message batch.")

    class Meta:
        model = GenerationLog
        fields: list[str] = []

    def of_conversation(self, logs: QuerySet[GenerationLog], _name: str, named: str) -> QuerySet[GenerationLog]:
        try:
            return logs.filter(conversation_id=UUID(named))
        except ValueError:
            rows = Conversation.objects.filter(workspace=self.request.parser_context["view"].workspace)
            return logs.filter(conversation_id__in=list(rows.named(named).values_list("pk", flat=True)))


class SumsSerializer(serializers.Serializer[Any]):
    requests = serializers.IntegerField(min_value=0)
    succeeded = serializers.IntegerField(min_value=0)
    failed = serializers.IntegerField(min_value=0)
    runs = serializers.IntegerField(min_value=0, help_text="Goes at a conversation; each has one request or more.")
    input_tokens = serializers.IntegerField(min_value=0, help_text="Without those of the prompt cache.")
    output_tokens = serializers.IntegerField(min_value=0)
    cache_read_tokens = serializers.IntegerField(min_value=0)
    cache_write_tokens = serializers.IntegerField(min_value=0)
    cost_usd = Usd(max_digits=20)
    cache_saving_usd = Usd(max_digits=20, help_text="What it would have cost more without the prompt cache.")
    p50_ms = serializers.IntegerField(
        allow_null=True, min_value=0, help_text="Half of the good live replies took no longer, in milliseconds."
    )
    p95_ms = serializers.IntegerField(allow_null=True, min_value=0, help_text="95 of 100 took no longer.")


class SumsByNameSerializer(SumsSerializer):
    name = serializers.CharField(help_text="The status, the model, the error, or the day (2026-11-25).")


class LogStatisticsSerializer(serializers.Serializer[Any]):
    created_after = serializers.DateTimeField(source="span.begin")
    created_before = serializers.DateTimeField(source="span.end")
    total = SumsSerializer()
    by_status = SumsByNameSerializer(many=True)
    by_model = SumsByNameSerializer(many=True)
    by_error = SumsByNameSerializer(many=True)
    by_day = SumsByNameSerializer(many=True, help_text="Days without requests are left out.")


SUMS = {
    "requests": 94,
    "succeeded": 90,
    "failed": 4,
    "runs": 90,
    "input_tokens": 38120,
    "output_tokens": 171004,
    "cache_read_tokens": 201930,
    "cache_write_tokens": 6912,
    "cost_usd": "1.845210",
    "cache_saving_usd": "0.360102",
    "p50_ms": 18450,
    "p95_ms": 31200,
}
LOG = {
    "id": "019ab6f2-9c4e-7b30-8f11-2f3a4b5c6d7e",
    "run_id": "019ab6f2-7d41-7f02-b1c3-5a6b7c8d9e0f",
    "attempt": 2,
    "conversation": "019ab6f2-7d3c-7c11-9a52-0f6d1c2b9e10",
    "template": "019ab6e0-1111-7aaa-8bbb-0123456789ab",
    "model": "claude-sonnet-5-5",
    "status": "failed",
    "input_tokens": 0,
    "output_tokens": 0,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "cost_usd": "0.000000",
    "cache_saving_usd": "0.000000",
    "price_assumed": False,
    "duration_ms": 312,
    "error_type": "overloaded",
    "error_message": "Claude is overloaded. Try again in a while.",
    "request_id": "req_018EeWyXxfu5pfWkrYcMdjWG",
    "message_batch_id": "",
    "created_at": "2026-11-25T09:30:22Z",
}
STATISTICS = {
    "created_after": "2026-10-26T00:00:00Z",
    "created_before": "2026-11-25T00:00:00Z",
    "total": SUMS,
    "by_status": [{**SUMS, "name": "succeeded"}],
    "by_model": [{**SUMS, "name": "claude-sonnet-5-5"}],
    "by_error": [{**SUMS, "name": "overloaded"}],
    "by_day": [{**SUMS, "name": "2026-11-24"}],
}


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(
        operation_id="generation_logs_list",
        summary="Requests to Claude, newest first",
        description="Without what was sent and what came back. Kept for 90 days, unless it is set otherwise. "
        "Sorting by cost or duration reads all that the filters leave: give dates.",
        examples=[OpenApiExample("A request that failed", value=LOG, response_only=True)],
    ),
    retrieve=extend_schema(
        operation_id="generation_logs_retrieve",
        summary="One request to Claude, with what was sent and what came back",
        examples=[
            OpenApiExample(
                "A request that failed",
                value={**LOG, "request": {"model": "claude-sonnet-5-5", "max_tokens": 16000}, "response": None},
                response_only=True,
            )
        ],
    ),
)
class GenerationLogViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    queryset = GenerationLog.objects.all()
    filterset_class = GenerationLogFilter
    permissions = {"list": VIEW, "retrieve": VIEW, "stats": VIEW}
    orderings = {"created": "created_at", "cost": "cost_usd", "duration": "duration_ms"}

    def get_serializer_class(self) -> Any:
        return GenerationLogDetailSerializer if self.action == "retrieve" else GenerationLogSerializer

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows if self.action == "retrieve" else rows.defer("request", "response")

    @extend_schema(
        operation_id="generation_logs_stats",
        summary="What requests add up to",
        description="Of those that the filters leave, in total and by status, model, error and day. Without dates: of "
        "the last 30 days; of 366 at most.",
        responses=LogStatisticsSerializer,
        filters=True,
        parameters=[OpenApiParameter(name, exclude=True) for name in ("ordering", "cursor", "page_size")],
        examples=[OpenApiExample("A month", value=STATISTICS, response_only=True)],
    )
    @action(detail=False, pagination_class=None)
    def stats(self, request: Request) -> Response:
        logs = self.filter_queryset(self.get_queryset())
        return Response(LogStatisticsSerializer(summed_up(logs, self._span(request))).data)

    def _span(self, request: Request) -> Any:
        dates = GenerationLogFilter(request.query_params, queryset=GenerationLog.objects.none()).form
        dates.is_valid()
        try:
            return span_of(dates.cleaned_data.get("created_after"), dates.cleaned_data.get("created_before"))
        except SpanRefused as refused:
            raise ValidationError({"created_after": str(refused)}) from refused
