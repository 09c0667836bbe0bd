"""Bodies whose every name counts: a budget that is misspelt is none."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses names that it does not know, so that a typing error is not taken for a change that was made.

    What can only be read is not refused but left alone: a row may be sent back as it came, with what is changed in it.
    """

    def to_internal_value(self, data: Any) -> Any:
        problems = self._unknown(data) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **problems}) from error  # type: ignore[dict-item]
        if problems:
            raise serializers.ValidationError(problems)
        return values

    def _unknown(self, given: Mapping[str, Any]) -> dict[str, Any]:
        settable = [name for name, field in self.fields.items() if not field.read_only]
        problem = serializers.ErrorDetail(f"It cannot be set here. What can: {', '.join(settable)}.", "unknown")
        return {name: [problem] for name in given if name not in self.fields}


class InSchema(OpenApiSerializerExtension):
    """The schema says it too."""

    target_class = "convgen.api.strict.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False} if direction == "request" else schema
