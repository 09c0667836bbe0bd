"""Parameters as people write them in a form: a name and a value in each line."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from conversations.admin.fields import PlainTextarea

NESTED = ("{", "[", '"')  # a value that begins so is read as JSON, if it can be


class PairsField(forms.CharField):
    """`name = value` in each line, as a mapping; empty lines are left out.

    A value that is left as it was keeps its type; another is a text, or JSON where it is an object, a list or quoted.
    """

    def __init__(self, *, original: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(widget=PlainTextarea(attrs={"rows": max(3, len(original) + 1)}), **kwargs)
        self.original = original

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return "\n".join(f"{name} = {_written(one)}" for name, one in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        pairs: dict[str, Any] = {}
        for line in (super().to_python(value) or "").splitlines():
            if not line.strip():
                continue
            name, equals, text = (part.strip() for part in line.partition("="))
            if not equals or not name:
                raise ValidationError(f"Each line is a name, =, and a value, unlike: {line.strip()}")
            if name in pairs:
                raise ValidationError(f"{name} is given twice. Leave one of them out.")
            pairs[name] = self._read(name, text)
        return pairs

    def _read(self, name: str, text: str) -> Any:
        if name in self.original and _written(self.original[name]) == text:
            return self.original[name]
        if text.startswith(NESTED):
            try:
                return json.loads(text)
            except ValueError:
                return text
        return text


def _written(value: Any) -> str:
    """A value in one line: a text as it is, if it can be read back so."""
    plain = isinstance(value, str) and value == value.strip() and value.isprintable()
    if plain and not value.startswith(NESTED):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
