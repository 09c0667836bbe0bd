"""Fields that several resources share."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations.text import storable_json


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JsonObject(serializers.JSONField):
    """An object of names and values. What PostgreSQL cannot store of its texts is left out, as everywhere."""

    default_error_messages = {"no_object": 'Give an object of names and values, as in {{"age": 41}}.'}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            self.fail("no_object")
        stored: dict[str, Any] = storable_json(value)
        return stored


class Usd(serializers.DecimalField):
    """An amount in USD, as text so that no digit is lost."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 14, "decimal_places": 6, **options})
