"""Filters of lists that django-filter does not have."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.db.models import Q
from django_filters import rest_framework as filters


def _saying_choices(choices: Sequence[tuple[str, Any]], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a filter that says what there is to choose from."""
    names = ", ".join(name for name, _label in choices)
    return {"choices": choices, "error_messages": {"invalid_choice": f"“%(value)s” is none of: {names}."}, **options}


class OneOf(filters.ChoiceFilter):
    """`?kind=persona`."""

    def __init__(self, choices: Sequence[tuple[str, Any]], **options: Any) -> None:
        super().__init__(**_saying_choices(choices, options))


class AnyOf(filters.MultipleChoiceFilter):
    """`?status=draft&status=failed`: one of several, as one comparison that an index serves."""

    def __init__(self, choices: Sequence[tuple[str, Any]], **options: Any) -> None:
        super().__init__(**_saying_choices(choices, {"help_text": "Repeat it for several.", **options}))

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.filter(**{f"{self.field_name}__in": value}) if value else qs


class Search(filters.CharFilter):
    """`?search=fund`: what occurs in one of these columns at least, whatever its case."""

    def __init__(self, *columns: str, **options: Any) -> None:
        self._columns = columns
        super().__init__(**{"help_text": f"In {' or '.join(columns)}.", **options})

    def filter(self, qs: Any, value: Any) -> Any:
        found = (Q(**{f"{column}__icontains": value}) for column in self._columns)
        return qs.filter(reduce(or_, found)) if value else qs


class After(filters.IsoDateTimeFilter):
    """`?created_after=2026-11-25T09:30:00Z`"""

    def __init__(self, column: str, **options: Any) -> None:
        super().__init__(column, "gte", **{"help_text": "At that moment, or later.", **options})


class Before(filters.IsoDateTimeFilter):
    """`?created_before=2026-11-25T09:30:00Z`"""

    def __init__(self, column: str, **options: Any) -> None:
        super().__init__(column, "lt", **{"help_text": "Earlier than that.", **options})


class _TrueOrFalseField(forms.NullBooleanField):
    """The widget has made None of what it does not know: here it is told apart from nothing at all."""

    def clean(self, value: Any) -> Any:
        if value == "?":
            raise forms.ValidationError("Choose true or false.", code="invalid_choice")
        return value


class _TrueOrFalseWidget(forms.TextInput):
    meanings = {"true": True, "false": False, "": None}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return self.meanings.get(str(data.get(name) or "").lower(), "?")


class TrueOrFalse(filters.BooleanFilter):
    """`?simulated=true` or `false`. Anything else is wrong, where django-filter's own leaves it out."""

    field_class = _TrueOrFalseField

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"widget": _TrueOrFalseWidget, **options})
