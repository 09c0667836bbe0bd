"""Filters of lists that django-filter does not have."""

from typing import Any

from django import forms
from django_filters import rest_framework as filters


class AnyOf(filters.MultipleChoiceFilter):
    """`?status=draft&status=failed`: one of several, as one comparison that an index serves."""

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.filter(**{f"{self.field_name}__in": value}) if value else qs


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
