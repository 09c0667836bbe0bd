"""How Claude is asked, as a request may say it for itself."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from conversations.api.fields import NumberField, OneOfField
from conversations.choices import Effort
from convgen.api.strict import StrictSerializer
from generation.configuration import Overrides

STRAYING = "How far Claude strays from the likeliest words."
CHOOSING = "Among how many of the likeliest words Claude chooses."
LONGEST = 2_147_483_647  # what a column holds; what Claude takes is checked where the values meet


def share_field(what: str) -> NumberField:
    """From 0 to 1, or null."""
    return NumberField(
        max_digits=3,
        decimal_places=2,
        min_value=Decimal(0),
        max_value=Decimal(1),
        required=False,
        allow_null=True,
        help_text=f"{what} Only older models take it.",
    )


class ConfigurationSerializer(StrictSerializer):
    """What is left out is decided by the template, the workspace and the installation, in this order."""

    model = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="As Anthropic names it: claude-sonnet-5-5."
    )
    max_tokens = serializers.IntegerField(
        min_value=1, max_value=LONGEST, required=False, allow_null=True, help_text="The longest reply, in tokens."
    )
    effort = OneOfField(
        Effort.choices,
        required=False,
        allow_blank=True,
        help_text="How many tokens Claude may spend on thinking and writing.",
    )
    temperature = share_field(STRAYING)
    top_p = share_field(CHOOSING)


def overrides_from(given: Mapping[str, Any] | None) -> Overrides:
    """Of what a valid `ConfigurationSerializer` was sent."""
    return Overrides(**(given or {}))
