"""Fields that several resources share."""

from typing import Any, NoReturn

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from convgen.text import storable_json

MOST_CHOSEN = 10_000  # conversations that a request may name
DEEPEST = 50  # levels of lists and objects in one another


class _Json(serializers.JSONField):
    """What PostgreSQL cannot store of its texts is left out, as everywhere."""

    shape: type[Any]
    other_shape: str  # the code of what is refused then
    default_error_messages = {"too_deep": f"Lists and objects may be in one another in {DEEPEST} levels at most."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, self.shape):
            self.fail(self.other_shape)
        if not _is_shallow(data, DEEPEST):
            self.fail("too_deep")
        return storable_json(super().to_internal_value(data))


def _is_shallow(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested in so many levels at most."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels >= 0 and all(_is_shallow(part, levels - 1) for part in parts)


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JsonObject(_Json):
    """An object of names and values."""

    shape = dict
    other_shape = "no_object"
    default_error_messages = {"no_object": 'Give an object of names and values, as in {{"age": 41}}.'}


@extend_schema_field({"type": "array", "items": {}})
class JsonList(_Json):
    """A list of whatever."""

    shape = list
    other_shape = "no_list"
    default_error_messages = {"no_list": "Give a list."}


class OneOfField(serializers.ChoiceField):
    """Says what there is to choose from."""

    default_error_messages = {"invalid_choice": "“{input}” is none of: {choices}."}

    def fail(self, key: str, **said: Any) -> NoReturn:
        super().fail(key, choices=", ".join(str(choice) for choice in self.choices if choice != ""), **said)


class NamesField(serializers.ListField):
    """Conversations one by one, by UUID or readable id: at least one, at most `MOST_CHOSEN`."""

    def __init__(self, **options: Any) -> None:
        child = serializers.CharField(max_length=40)
        super().__init__(**{"child": child, "allow_empty": False, "max_length": MOST_CHOSEN, **options})


class Usd(serializers.DecimalField):
    """An amount in USD, as text so that no digit is lost."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 14, "decimal_places": 6, **options})


class NumberField(serializers.DecimalField):
    """A number with decimals that is no money: DRF would write it as a text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "coerce_to_string": False})

    def to_representation(self, value: Any) -> Any:
        return None if value is None else float(value)


class OfWorkspace(serializers.PrimaryKeyRelatedField[Any]):
    """A row of the workspace, by its id."""

    default_error_messages = {"does_not_exist": "There is none with the id {pk_value} in this workspace."}

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
