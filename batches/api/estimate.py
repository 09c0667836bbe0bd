"""What a batch would take, and cost."""

from typing import Any

from rest_framework import serializers

from conversations.api.fields import Usd
from conversations.choices import Tier


def _span(child: Any, what: str) -> Any:
    """`low` and `high` hold it nine times in ten."""
    fields = dict.fromkeys(("low", "likely", "high"), child)
    return type(f"{what}SpanSerializer", (serializers.Serializer,), {**fields, "__doc__": _span.__doc__})


UsdSpanSerializer = _span(Usd(), "Usd")
SecondsSpanSerializer = _span(serializers.FloatField(), "Seconds")


class ForeseenSerializer(serializers.Serializer[Any]):
    """What it takes in one delivery."""

    cost_usd = UsdSpanSerializer()
    seconds = SecondsSpanSerializer()


class TokensSerializer(serializers.Serializer[Any]):
    """Tokens that it will probably take."""

    input = serializers.IntegerField(help_text="With what is read from the prompt cache.")
    output = serializers.IntegerField()


class EstimateSerializer(serializers.Serializer[Any]):
    """What a batch will cost, and how long it will take, in either delivery."""

    conversations = serializers.IntegerField()
    simulated = serializers.BooleanField(help_text="Simulated Claude will write them: nothing is paid.")
    known_from_history = serializers.FloatField(help_text="The share, 0 to 1, that earlier replies tell.")
    price_assumed = serializers.BooleanField(help_text="The price of a model is not known: the highest is assumed.")
    tokens = TokensSerializer()
    live = ForeseenSerializer()
    economy = ForeseenSerializer()


class LikelyCostSerializer(serializers.Serializer[Any]):
    """USD in either delivery."""

    live = Usd()
    economy = Usd()


class PlanRowSerializer(serializers.Serializer[Any]):
    """How many conversations of one tier, or one template, a batch takes."""

    tier = serializers.ChoiceField(Tier.choices)
    template_name = serializers.CharField(required=False, help_text="Of a whole tier, it is left out.")
    gaps = serializers.IntegerField(help_text="Places of the plan that become drafts.")
    drafts = serializers.IntegerField()
    failed = serializers.IntegerField()
    total = serializers.IntegerField()
    cost_usd = LikelyCostSerializer()


class PlanSerializer(serializers.Serializer[Any]):
    """What a batch would take, and what that will cost."""

    total = serializers.IntegerField(help_text="Conversations.")
    tiers = PlanRowSerializer(many=True)
    templates = PlanRowSerializer(many=True)
    left_out = serializers.IntegerField(help_text="Those that another batch is at work on.")
    estimate = EstimateSerializer()
    warnings = serializers.ListField(child=serializers.CharField(), help_text="What to think of before it is started.")
    fingerprint = serializers.CharField(help_text="Send it as `agreed` to start this plan, and no other.")
