"""How far a batch is: what its row says, so that asking again and again costs little."""

from typing import Any

from rest_framework import serializers

from batches import progress
from batches.choices import ENDED, JobStatus
from batches.models import BatchJob
from conversations.api.fields import Usd


class BatchStatusSerializer(serializers.Serializer[Any]):
    """How far a batch is."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(JobStatus.choices)
    ended = serializers.BooleanField(help_text="Nothing more will come of it, but for calls that are in flight.")
    percentage = serializers.IntegerField(min_value=0, max_value=100, help_text="Of its items, those that ended.")
    current_step = serializers.CharField(help_text="In words.")
    total = serializers.IntegerField(help_text="Conversations.")
    completed = serializers.IntegerField(help_text="Ended either way.")
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cost_usd = Usd(help_text="Spent so far.")
    budget_usd = Usd(max_digits=12, allow_null=True)
    seconds_remaining = serializers.FloatField(allow_null=True, help_text="null: nothing is known of its pace yet.")
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


def status_of(job: BatchJob) -> dict[str, Any]:
    """How far it is, from its row alone."""
    remaining = job.estimated_time_remaining
    return {
        "id": job.pk,
        "status": job.status,
        "ended": job.status in ENDED,
        "percentage": 100 * job.completed_items // job.total_items if job.total_items else 100,
        "current_step": progress.step(job),
        "total": job.total_items,
        "completed": job.completed_items,
        "succeeded": job.successful_items,
        "failed": job.failed_items,
        "cost_usd": job.actual_cost_usd,
        "budget_usd": job.budget_usd,
        "seconds_remaining": None if remaining is None else round(remaining.total_seconds(), 1),
        "started_at": job.started_at,
        "completed_at": job.completed_at,
    }
