"""What a batch consists of: its items, and with economy delivery its message batches."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins

from batches.api import examples
from batches.api.batch import ItemSerializer, MessageBatchSerializer
from batches.choices import ItemStatus, MessageBatchStatus
from batches.models import BatchItem, BatchJob, MessageBatch
from conversations.api.views import WorkspaceViewSet, one_of
from convgen.api.filters import AnyOf


class ItemFilter(filters.FilterSet):
    status = AnyOf(ItemStatus.choices)

    class Meta:
        model = BatchItem
        fields: ClassVar[list[str]] = []


class MessageBatchFilter(filters.FilterSet):
    status = AnyOf(MessageBatchStatus.choices)

    class Meta:
        model = MessageBatch
        fields: ClassVar[list[str]] = []


class OfBatch(mixins.ListModelMixin, WorkspaceViewSet):
    """The rows of the batch that the path names."""

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if "id" not in self.kwargs:  # while the schema is made
            return rows
        return rows.filter(job=one_of(BatchJob.objects.filter(workspace=self.workspace), self.kwargs["id"]))


@extend_schema(tags=["Batches"])
@extend_schema_view(list=extend_schema(summary="List the items of a batch", examples=[examples.ITEMS]))
class ItemViewSet(OfBatch):
    """In the order of work."""

    queryset = BatchItem.objects.select_related("conversation")
    serializer_class = ItemSerializer
    filterset_class = ItemFilter
    permissions = {"list": "batches.view_batchitem"}
    orderings = {"position": "position"}
    ordering = "position"
    tie_breakers = ()


@extend_schema(tags=["Batches"])
@extend_schema_view(
    list=extend_schema(summary="List the message batches of a batch", examples=[examples.MESSAGE_BATCHES])
)
class MessageBatchViewSet(OfBatch):
    """With economy delivery: what Anthropic has of it."""

    queryset = MessageBatch.objects.all()
    serializer_class = MessageBatchSerializer
    filterset_class = MessageBatchFilter
    permissions = {"list": "batches.view_messagebatch"}
