"""A batch and its items, as they are told."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.api.estimate import EstimateSerializer
from batches.choices import ItemStatus, MessageBatchStatus
from batches.models import BatchItem, BatchJob, MessageBatch
from conversations.api.fields import JsonObject, Usd, UserNameField
from generation.api.configuration import ConfigurationSerializer


class BatchSerializer(serializers.ModelSerializer[BatchJob]):
    """A batch: what it takes, how it is run, and how far it is."""

    reason = serializers.CharField(
        source="status_reason", read_only=True, help_text="Why it was paused or stopped, in words."
    )
    total = serializers.IntegerField(source="total_items", read_only=True, help_text="Conversations.")
    succeeded = serializers.IntegerField(source="successful_items", read_only=True)
    failed = serializers.IntegerField(source="failed_items", read_only=True)
    cost_usd = Usd(source="actual_cost_usd", read_only=True, help_text="Spent so far.")
    concurrency = serializers.IntegerField(
        source="concurrent_processing", read_only=True, help_text="Calls in flight at one time."
    )
    parameters = JsonObject(
        source="shared_parameters", read_only=True, help_text="Values of placeholders for all conversations."
    )
    configuration = ConfigurationSerializer(
        source="*", read_only=True, help_text="What it sets for itself of how Claude is asked."
    )
    estimate = serializers.SerializerMethodField(help_text="As it was foreseen when it was created.")
    created_by = UserNameField(allow_null=True)
    url = serializers.HyperlinkedIdentityField(view_name="api-batch-detail")
    status_url = serializers.HyperlinkedIdentityField(view_name="api-batch-status")
    items_url = serializers.HyperlinkedIdentityField(view_name="api-batch-items", lookup_url_kwarg="id")

    class Meta:
        model = BatchJob
        fields = [
            "id",
            "name",
            "status",
            "reason",
            "tier",
            "selection",
            "delivery",
            "priority",
            "concurrency",
            "error_handling",
            "budget_usd",
            "max_attempts",
            "retry_strategy",
            "request_timeout",
            "parameters",
            "configuration",
            "total",
            "succeeded",
            "failed",
            "cost_usd",
            "estimate",
            "created_by",
            "created_at",
            "started_at",
            "completed_at",
            "url",
            "status_url",
            "items_url",
        ]
        read_only_fields = fields

    @extend_schema_field(EstimateSerializer(allow_null=True))
    def get_estimate(self, job: BatchJob) -> dict[str, Any] | None:
        return job.estimate or None


class OrderedSerializer(BatchSerializer):
    """The batch that was created."""

    job_id = serializers.UUIDField(source="id", help_text="The batch's id.")

    class Meta(BatchSerializer.Meta):
        fields = ["job_id", *BatchSerializer.Meta.fields]
        read_only_fields = fields


class ItemSerializer(serializers.ModelSerializer[BatchItem]):
    """One conversation's place in a batch."""

    status = serializers.ChoiceField(ItemStatus.choices)
    conversation = serializers.UUIDField(source="conversation_id")
    conversation_id = serializers.CharField(source="conversation.conversation_id", help_text="The readable id.")
    error_type = serializers.CharField(help_text="What went wrong, as one of our error names; else empty.")
    error_message = serializers.CharField(help_text="The same in words; else empty.")
    cost_usd = Usd(max_digits=12, help_text="Spent in this batch.")

    class Meta:
        model = BatchItem
        fields = [
            "id",
            "position",
            "status",
            "conversation",
            "conversation_id",
            "attempts",
            "cost_usd",
            "error_type",
            "error_message",
            "started_at",
            "completed_at",
        ]
        read_only_fields = fields


class RetriedSerializer(serializers.Serializer[Any]):
    """How many failed items are queued once more, and the batch as it is now."""

    retried = serializers.IntegerField(min_value=1)
    batch = BatchSerializer()


class MessageBatchSerializer(serializers.ModelSerializer[MessageBatch]):
    """One message batch at Anthropic, of a batch with economy delivery."""

    status = serializers.ChoiceField(MessageBatchStatus.choices)
    batch = serializers.UUIDField(source="job_id")

    class Meta:
        model = MessageBatch
        fields = [
            "id",
            "batch",
            "status",
            "remote_id",
            "requests",
            "succeeded",
            "errored",
            "canceled",
            "expired",
            "last_error",
            "created_at",
            "submitted_at",
            "expires_at",
            "ended_at",
            "read_at",
            "next_look_at",
        ]
        read_only_fields = fields
