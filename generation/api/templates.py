"""Prompt templates: what Claude is asked to write, and for whom."""

from collections.abc import Collection
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from conversations import template_editing, template_history, template_statistics
from conversations.api import conditional
from conversations.api.views import WorkspaceModelViewSet, model_permissions
from conversations.choices import Tier
from conversations.coverage.usage import TOTALS, UsageByTemplate, usage_by_template
from conversations.duplication import duplicate
from conversations.models import PromptTemplate
from convgen.api.filters import AnyOf, Search, TrueOrFalse
from convgen.api.schema import LOCATION
from generation.api.template_serializers import (
    BODY,
    LISTED,
    SHOWN,
    ChangeSerializer,
    ListedTemplateSerializer,
    StatisticsSerializer,
    TemplateSerializer,
)

_CHANGE = {
    "version": 3,
    "kind": "changed",
    "changed_at": "2026-11-25T09:30:12Z",
    "changed_by": "maria",
    "changes": [{"field": "tone", "before": "", "after": "warm"}],
}
_RESULTS = {
    "conversations": 41,
    "average_quality": 8.21,
    "approval_rate": 0.9,
    "average_cost_usd": "0.018200",
    "average_input_tokens": 1_420,
    "average_output_tokens": 1_536,
}
_STATISTICS = {
    "usage_count": 44,
    "by_status": {"approved": 18, "rejected": 2, "pending_review": 21},
    "results": _RESULTS,
    "trend": [{"month": "2026-11-01", "results": _RESULTS}],
}


class TemplateFilter(filters.FilterSet):
    tier = AnyOf(Tier.choices)
    active = TrueOrFalse(help_text="Whether it is planned with.")
    search = Search("name", "description", "category")

    class Meta:
        model = PromptTemplate
        fields = ["category"]


def _shown(name: str, **options: Any) -> OpenApiExample:
    return OpenApiExample(name, value=SHOWN, response_only=True, **options)


@extend_schema(tags=["Templates"])
@extend_schema_view(
    list=extend_schema(
        summary="List templates",
        description="Without their long texts.",
        examples=[OpenApiExample("A template", value=LISTED, response_only=True)],
    ),
    retrieve=extend_schema(summary="Show a template", parameters=[conditional.ETAG], examples=[_shown("A template")]),
    create=extend_schema(
        summary="Create a template",
        description="Refused when its texts cannot be read, its variables are not properly defined, or Claude would "
        "not take how it is asked.",
        parameters=[conditional.ETAG, LOCATION],
        examples=[
            OpenApiExample("A new template", value=BODY, request_only=True),
            _shown("As created", status_codes=["201"]),
        ],
    ),
    partial_update=extend_schema(
        summary="Change a template",
        description="What is left out stays. A change that makes other conversations raises the version.",
        parameters=[conditional.EXPECTED, conditional.ETAG],
        examples=[
            OpenApiExample("Another tone", value={"tone": "warm", "topics": []}, request_only=True),
            _shown("As changed"),
        ],
    ),
    destroy=extend_schema(
        summary="Delete a template",
        description="Its conversations stay, without a template.",
        parameters=[conditional.EXPECTED],
    ),
)
class TemplateViewSet(WorkspaceModelViewSet):
    """What curators write for Claude: many conversations are made from each."""

    queryset = PromptTemplate.objects.all()
    serializer_class = TemplateSerializer
    filterset_class = TemplateFilter
    permissions = {
        **model_permissions("conversations.prompttemplate"),
        "duplicate": "conversations.add_prompttemplate",
        "history": "conversations.view_prompttemplate",
        "stats": "conversations.view_prompttemplate",
    }
    also_answers = {"partial_update": (412,), "destroy": (412,)}
    ordering = "tier"
    tie_breakers = ("name", "id")

    @property
    def orderings(self) -> dict[str, str]:  # type: ignore[override]
        if self.action == "history":
            return {"changed": "history_date"}
        return {"tier": "tier", "name": "name", "created": "created_at", "updated": "updated_at"}

    def get_serializer_class(self) -> type[Any]:
        return ListedTemplateSerializer if self.action == "list" else TemplateSerializer

    def get_queryset(self) -> QuerySet[PromptTemplate]:
        rows: QuerySet[PromptTemplate] = super().get_queryset()
        if self.action == "list":
            return rows.defer(*PromptTemplate.LONG_TEXTS)
        return rows.select_related("workspace").prefetch_related("applicability__dimension")

    @cached_property
    def usages(self) -> UsageByTemplate:
        """How many live conversations each template has."""
        return usage_by_template(self.workspace, TOTALS)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._answer(self.get_object())

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        sent = self._checked(None, request)
        template = template_editing.create(
            workspace=self.workspace, values=sent.values, meant_for=sent.meant_for, by=self.person
        )
        return self._made(template)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        template = self.get_object()
        sent = self._checked(template, request)
        template_editing.change(
            template, values=sent.values, meant_for=sent.meant_for, by=self.person, seen=self._seen()
        )
        return self._answer(self.get_object())

    def perform_destroy(self, template: Any) -> None:
        template_editing.delete(template, by=self.person, seen=self._seen())

    @extend_schema(
        summary="Duplicate a template",
        description="The copy is inactive, at version 1, under a name of its own.",
        request=None,
        responses={201: TemplateSerializer},
        parameters=[conditional.ETAG, LOCATION],
        examples=[_shown("The copy", status_codes=["201"])],
    )
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._made(duplicate(self.get_object(), by=self.person))

    @extend_schema(
        summary="List a template's changes",
        description="Of its own fields, the latest first; not of what it is meant for.",
        responses=ChangeSerializer(many=True),
        examples=[OpenApiExample("A change of tone", value=_CHANGE, response_only=True)],
    )
    @action(detail=True, ordering="-changed", tie_breakers=("history_id",), filterset_class=None)
    def history(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        records = self.paginate_queryset(template_history.records(self.get_object()))
        return self.get_paginated_response(ChangeSerializer(template_history.changes(records or []), many=True).data)

    @extend_schema(
        summary="Tell how a template does",
        description="How often it was used, how good its conversations are, how many were approved of those decided "
        "on (approved, rejected or sent back for changes), what they cost; and the same by month.",
        responses=StatisticsSerializer,
        examples=[OpenApiExample("Forty-one conversations", value=_STATISTICS, response_only=True)],
    )
    @action(detail=True)
    def stats(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(StatisticsSerializer(template_statistics.statistics(self.get_object())).data)

    def _checked(self, template: PromptTemplate | None, request: Request) -> TemplateSerializer:
        sent = TemplateSerializer(
            template, data=request.data, partial=template is not None, context=self.get_serializer_context()
        )
        sent.is_valid(raise_exception=True)
        return sent

    def _seen(self) -> Collection[str] | None:
        """The editions that the client expects; None where it takes whatever is there."""
        expected = conditional.expected_etags(self.request)
        return None if expected is None else [etag.strip('"') for etag in expected]

    def _made(self, template: PromptTemplate) -> Response:
        response = self._answer(self.get_queryset().get(pk=template.pk), status.HTTP_201_CREATED)
        response["Location"] = reverse("api-template-detail", [template.pk])
        return response

    def _answer(self, template: Any, code: int = status.HTTP_200_OK) -> Response:
        etag = f'"{template_editing.edition(template)}"'
        return Response(self.get_serializer(template).data, status=code, headers={"ETag": etag})
