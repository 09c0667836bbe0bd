"""What a batch is asked to take, and what of it may be changed later."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers

from batches.choices import Delivery, ErrorHandling, Priority, Selection, TierFilter
from batches.models import BatchJob
from batches.planning import Order
from conversations.api.fields import JsonObject, Usd
from conversations.models import Workspace
from convgen.api.strict import StrictSerializer
from generation.api.configuration import ConfigurationSerializer, overrides_from
from generation.retries import MOST_ATTEMPTS, RetryStrategy

MOST_CHOSEN = 10_000  # conversations that a request may name
LONGEST_TIMEOUT = 32_767  # seconds, what a column holds


class OrderSerializer(StrictSerializer):
    """What a batch is to take, and how it is run."""

    conversation_ids = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        allow_empty=False,
        max_length=MOST_CHOSEN,
        help_text="These drafts and failed conversations, by UUID or readable id; instead of tier and selection.",
    )
    tier = serializers.ChoiceField(TierFilter.choices, default=TierFilter.ALL, help_text="Of this tier alone.")
    selection = serializers.ChoiceField(
        Selection.choices,
        required=False,
        help_text="Left out: `chosen` with conversation_ids, else `gaps`: all that the coverage plan lacks.",
    )
    of_batch = serializers.PrimaryKeyRelatedField(
        queryset=BatchJob.objects.all(),
        required=False,
        allow_null=True,
        help_text="With `failed`: only those that failed in this batch.",
    )
    delivery = serializers.ChoiceField(
        Delivery.choices,
        default=Delivery.LIVE,
        help_text="`economy` costs half, and is delivered within a day, usually within an hour.",
    )
    priority = serializers.ChoiceField(
        Priority.choices, default=Priority.NORMAL, help_text="Among batches that wait for their turn."
    )
    concurrency = serializers.IntegerField(
        min_value=1, max_value=1_000, default=3, help_text="Calls in flight at one time, up to MAX_BATCH_CONCURRENCY."
    )
    error_handling = serializers.ChoiceField(
        ErrorHandling.choices, default=ErrorHandling.CONTINUE, help_text="What to do when one fails."
    )
    budget_usd = Usd(
        max_digits=12,
        min_value=Decimal(0),
        required=False,
        allow_null=True,
        help_text="It pauses before it costs more. Left out: whatever it costs.",
    )
    max_attempts = serializers.IntegerField(
        min_value=1,
        max_value=MOST_ATTEMPTS,
        required=False,
        help_text="Requests for one conversation, at most. Left out: GENERATION_ATTEMPTS.",
    )
    retry_strategy = serializers.ChoiceField(
        RetryStrategy.choices, required=False, help_text="How waits grow. Left out: GENERATION_RETRY_STRATEGY."
    )
    request_timeout = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_TIMEOUT,
        required=False,
        allow_null=True,
        help_text="Seconds for one request, up to ANTHROPIC_TIMEOUT.",
    )
    parameters = JsonObject(required=False, help_text="Values of placeholders, for all of its conversations.")
    configuration = ConfigurationSerializer(required=False)
    name = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="For people. Left out: what it takes, and when."
    )
    agreed = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        help_text="The `fingerprint` of an estimate: refused with 409 if something else would be taken by now.",
    )

    def validate_concurrency(self, concurrency: int) -> int:
        if concurrency > settings.MAX_BATCH_CONCURRENCY:
            most = settings.MAX_BATCH_CONCURRENCY
            raise serializers.ValidationError(f"Calls in flight must lie between 1 and {most}.", "max_value")
        return concurrency

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        named, selection = bool(attrs.get("conversation_ids")), attrs.get("selection")
        if named and (selection not in (None, Selection.CHOSEN) or attrs["tier"] != TierFilter.ALL):
            raise serializers.ValidationError(
                {"conversation_ids": "Name conversations, or choose them by tier and selection; not both."}
            )
        if selection == Selection.CHOSEN and not named:
            raise serializers.ValidationError({"conversation_ids": "Name the conversations that are chosen."})
        if attrs.get("of_batch") and attrs.get("selection") != Selection.FAILED:
            raise serializers.ValidationError({"of_batch": "It goes with the selection `failed`."})
        return attrs

    def order(self, workspace: Workspace, *, by: Any) -> Order:
        """What a valid request asks for."""
        given = self.validated_data
        chosen = given.get("conversation_ids", ())
        of_batch = given.get("of_batch")
        return Order(
            workspace=workspace,
            tier=given["tier"],
            selection=Selection.CHOSEN if chosen else given.get("selection") or Selection.GAPS,
            chosen=list(dict.fromkeys(chosen)),
            of_batch=of_batch.pk if of_batch else None,
            concurrency=given["concurrency"],
            error_handling=given["error_handling"],
            priority=given["priority"],
            overrides=overrides_from(given.get("configuration")),
            max_attempts=given.get("max_attempts", 0),
            retry_strategy=given.get("retry_strategy", ""),
            request_timeout=given.get("request_timeout"),
            budget_usd=given.get("budget_usd"),
            delivery=given["delivery"],
            shared_parameters=given.get("parameters", {}),
            name=given.get("name", ""),
            created_by=by,
        )


class ChangesSerializer(StrictSerializer):
    """What may be changed of a batch that has not ended. What is left out stays."""

    concurrency = serializers.IntegerField(source="concurrent_processing", min_value=1, max_value=1_000, required=False)
    priority = serializers.ChoiceField(Priority.choices, required=False)
    budget_usd = Usd(
        max_digits=12, min_value=Decimal(0), required=False, allow_null=True, help_text="null: whatever it costs."
    )

    validate_concurrency = OrderSerializer.validate_concurrency
