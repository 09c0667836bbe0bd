"""What a batch is asked to take, and what of it may be changed later."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from batches.changing import concurrency_problem
from batches.choices import Delivery, ErrorHandling, Priority, Selection, TierFilter
from batches.models import BatchJob
from batches.planning import Order
from conversations.api.fields import JsonObject, NamesField, OfWorkspace, OneOfField, Usd
from conversations.models import Workspace
from convgen.api.strict import StrictSerializer
from convgen.models import User
from generation.api.configuration import ConfigurationSerializer, overrides_from
from generation.retries import MOST_ATTEMPTS, RetryStrategy

LONGEST_TIMEOUT = 32_767  # seconds, what a column holds


class OrderSerializer(StrictSerializer):
    """What a batch is to take, and how it is run."""

    conversation_ids = NamesField(
        required=False,
        help_text="These drafts and failed conversations, by UUID or readable id; instead of tier and selection.",
    )
    tier = OneOfField(TierFilter.choices, default=TierFilter.ALL, help_text="Of this tier alone.")
    selection = OneOfField(
        Selection.choices,
        required=False,
        help_text="Left out: `chosen` with conversation_ids, else `gaps`: all that the coverage plan lacks.",
    )
    of_batch = OfWorkspace(
        queryset=BatchJob.objects.all(),
        required=False,
        allow_null=True,
        help_text="With `failed`: only those that failed in this batch.",
    )
    delivery = OneOfField(
        Delivery.choices,
        default=Delivery.LIVE,
        help_text="`economy` costs half, and is delivered within a day, usually within an hour.",
    )
    priority = OneOfField(
        Priority.choices, default=Priority.NORMAL, help_text="Among batches that wait for their turn."
    )
    concurrency = serializers.IntegerField(
        min_value=1, max_value=1_000, default=3, help_text="Calls in flight at one time, up to MAX_BATCH_CONCURRENCY."
    )
    error_handling = OneOfField(
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
    retry_strategy = OneOfField(
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
        if problem := concurrency_problem(concurrency):
            raise serializers.ValidationError(problem, "max_value")
        return concurrency

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        named, selection = bool(attrs.get("conversation_ids")), attrs.get("selection")
        if named and (selection not in (None, Selection.CHOSEN) or attrs["tier"] != TierFilter.ALL):
            raise serializers.ValidationError(
                {"conversation_ids": "Name conversations, or choose them by tier and selection; not both."}
            )
        if selection == Selection.CHOSEN and not named:
            raise serializers.ValidationError({"conversation_ids": "Name the conversations that are chosen."})
        if attrs.get("of_batch") and selection != Selection.FAILED:
            raise serializers.ValidationError({"of_batch": "It goes with the selection `failed`."})
        return attrs


class ChangesSerializer(StrictSerializer):
    """What may be changed of a batch that has not ended. What is left out stays."""

    concurrency = serializers.IntegerField(source="concurrent_processing", min_value=1, max_value=1_000, required=False)
    priority = OneOfField(Priority.choices, required=False)
    budget_usd = Usd(
        max_digits=12, min_value=Decimal(0), required=False, allow_null=True, help_text="null: whatever it costs."
    )

    validate_concurrency = OrderSerializer.validate_concurrency


def order_of(asked: Mapping[str, Any], workspace: Workspace, *, by: User) -> Order:
    """What a valid `OrderSerializer` was sent."""
    chosen = asked.get("conversation_ids", ())
    of_batch = asked.get("of_batch")
    return Order(
        workspace=workspace,
        tier=asked["tier"],
        selection=Selection.CHOSEN if chosen else asked.get("selection") or Selection.GAPS,
        chosen=list(dict.fromkeys(chosen)),
        of_batch=of_batch.pk if of_batch else None,
        concurrency=asked["concurrency"],
        error_handling=asked["error_handling"],
        priority=asked["priority"],
        overrides=overrides_from(asked.get("configuration")),
        max_attempts=asked.get("max_attempts", 0),
        retry_strategy=asked.get("retry_strategy", ""),
        request_timeout=asked.get("request_timeout"),
        budget_usd=asked.get("budget_usd"),
        delivery=asked["delivery"],
        shared_parameters=asked.get("parameters", {}),
        name=asked.get("name", ""),
        created_by=by,
    )
