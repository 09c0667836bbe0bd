"""What the serializers of a workspace's rows share."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from conversations.api.fields import OneOfField
from convgen.api.errors import from_validation
from convgen.api.strict import StrictSerializer

STAYS = "It stays as it was when this was created: create another one instead."


class RowSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """Checks a row as its model does, constraints included: what the database would refuse is told by field.

    `kept` of `Meta` are fields that can be given when a row is created, and not be changed afterwards. What can never
    be given may be sent along, as it was read, and is left alone.
    """

    serializer_choice_field = OneOfField

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        model: Any = self.Meta.model
        row = copy(self.instance) if self.instance is not None else model(workspace=self.context["view"].workspace)
        self._refuse_other(attrs)
        for name, value in attrs.items():
            setattr(row, name, value)
        try:
            self.check(row)
        except ValidationError as error:
            raise from_validation(error) from error
        return attrs

    def update(self, row: Any, values: Mapping[str, Any]) -> Any:
        """Writes what was sent, and no more: what somebody else changes at the same moment is not put back."""
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        return row

    def _refuse_other(self, attrs: Mapping[str, Any]) -> None:
        kept = getattr(self.Meta, "kept", ()) if self.instance is not None else ()
        other = [name for name in kept if name in attrs and attrs[name] != getattr(self.instance, name)]
        if other:
            raise serializers.ValidationError({name: serializers.ErrorDetail(STAYS, "kept") for name in other})

    def check(self, row: Any) -> None:
        """Raises Django's ValidationError with what is wrong about the row as it would be."""
        row.full_clean()
