"""Fields that the serializers of a workspace's rows share."""

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations.text import storable_json

DEEPEST = 50  # levels of lists and objects in one another


class StorableField(serializers.Field[Any, Any, Any, Any]):
    """JSON of the shape that its column has, as PostgreSQL can store it."""

    shape: type

    def to_internal_value(self, value: Any) -> Any:
        if not (isinstance(value, self.shape) and _is_shallow(value, DEEPEST)):
            self.fail("shape")
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            self.fail("shape")
        return storable_json(value)

    def to_representation(self, value: Any) -> Any:
        return value


def _is_shallow(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested in so many levels at most."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels >= 0 and all(_is_shallow(part, levels - 1) for part in parts)


@extend_schema_field(OpenApiTypes.OBJECT)
class ObjectField(StorableField):
    """A JSON object with any members."""

    shape = dict
    default_error_messages = {
        "shape": 'This must be an object, as in {{"age": 41}}, with finite numbers and at most 50 levels deep.'
    }


@extend_schema_field({"type": "array", "items": {}})
class ListOfAnythingField(StorableField):
    """A JSON list."""

    shape = list
    default_error_messages = {
        "shape": 'This must be a list, as in ["one", "two"], with finite numbers and at most 50 levels deep.'
    }


class NumberField(serializers.DecimalField):
    """A number with decimals that is no money: DRF would write it as a text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "coerce_to_string": False})

    def to_representation(self, value: Any) -> Any:
        return None if value is None else float(value)


class OfWorkspace(serializers.PrimaryKeyRelatedField[Any]):
    """A row of the workspace, by its id."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pk_field=serializers.UUIDField(), **options)

    def get_queryset(self) -> Any:
        field: Any = self
        return field.queryset.filter(workspace=self.context["view"].workspace)


class UserNameField(serializers.SlugRelatedField[Any]):
    """Who did it."""

    def __init__(self, **options: Any) -> None:
        help_text = "The user name; null: a command, or nobody who is still known."
        super().__init__(slug_field="username", read_only=True, help_text=help_text, **options)
