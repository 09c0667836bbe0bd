"""What a batch came to."""

from typing import Any

from rest_framework import serializers

from batches.api.estimate import EstimateSerializer
from batches.choices import Delivery, JobStatus
from conversations.api.fields import Usd
from conversations.choices import Tier


class AgainstSerializer(serializers.Serializer[Any]):
    """One figure, foreseen and actual."""

    estimated = serializers.FloatField()
    actual = serializers.FloatField()
    ratio = serializers.FloatField(allow_null=True, help_text="Above 1: more than was foreseen.")
    difference = serializers.FloatField()


class AgainstEstimateSerializer(serializers.Serializer[Any]):
    """What it has taken, against what was foreseen for as much as has ended."""

    cost_usd = AgainstSerializer()
    seconds = AgainstSerializer()


def _quality_histogram() -> serializers.DictField:
    """Names such as `<4` are none that a program made from the schema could have: it is a map."""
    return serializers.DictField(
        child=serializers.IntegerField(),
        help_text="How many scores lie below 4 (`<4`), from 4 to 6 (`<6`), from 6 to 8 (`<8`), and from 8 on (`8+`).",
    )


class TierSummarySerializer(serializers.Serializer[Any]):
    tier = serializers.ChoiceField(Tier.choices)
    total = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    pending_review = serializers.IntegerField()
    cost_usd = Usd()
    average_quality = serializers.FloatField(allow_null=True)
    quality_histogram = _quality_histogram()


class FailuresSerializer(serializers.Serializer[Any]):
    """The items that failed for one reason."""

    error_type = serializers.CharField()
    count = serializers.IntegerField()
    reason = serializers.CharField()
    next_step = serializers.CharField(help_text="What to do.")
    worth_retrying = serializers.IntegerField(help_text="Those that may succeed when they are tried again as they are.")
    examples = serializers.ListField(child=serializers.CharField(), help_text="Readable ids of some of them.")


class SummarySerializer(serializers.Serializer[Any]):
    """What a batch came to, so far or in the end."""

    job_id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(JobStatus.choices)
    reason = serializers.CharField()
    delivery = serializers.ChoiceField(Delivery.choices)
    total = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    worth_retrying = serializers.IntegerField()
    cost_usd = Usd()
    cost_usd_each = Usd(allow_null=True, help_text="For each that succeeded, with what the failed ones cost.")
    cache_saving_usd = Usd(help_text="What it would have cost more without the prompt cache.")
    duration_seconds = serializers.FloatField()
    simulated = serializers.IntegerField(help_text="Of the successful ones, those that simulated Claude wrote.")
    average_quality = serializers.FloatField(allow_null=True)
    quality_histogram = _quality_histogram()
    estimate = EstimateSerializer(allow_null=True)
    against_estimate = AgainstEstimateSerializer(allow_null=True)
    tiers = TierSummarySerializer(many=True)
    failures = FailuresSerializer(many=True)
