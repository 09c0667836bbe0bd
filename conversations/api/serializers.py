"""What the serializers of a workspace's rows share."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from conversations.api.fields import OneOfField
from convgen.api.errors import from_validation
from convgen.api.strict import StrictSerializer


class RowSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """Checks a row as its model does, constraints included: what the database would refuse is told by field.

    `kept` of `Meta` are fields that can be given when a row is created, and not be changed afterwards.
    """

    serializer_choice_field = OneOfField

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        for name in getattr(self.Meta, "kept", ()) if self.instance is not None else ():
            fields[name].read_only = True
        return fields

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        model: Any = self.Meta.model
        row = copy(self.instance) if self.instance is not None else model(workspace=self.context["view"].workspace)
        for name, value in attrs.items():
            setattr(row, name, value)
        try:
            self.check(row)
        except ValidationError as error:
            raise from_validation(error) from error
        return attrs

    def check(self, row: Any) -> None:
        """Raises Django's ValidationError with what is wrong about the row as it would be."""
        row.full_clean()
