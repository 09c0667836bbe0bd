"""Fields of forms for texts, lists and JSON, and JSON for people to read."""

import json
import re
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString

_SHAPES = {dict: 'an object, as in {"age": 41}', list: 'a list, as in ["one", "two"]'}
_LINE_BREAK = re.compile(r"(?<!\\)((?:\\\\)*)\\n")  # \n after an even number of backslashes


class PlainTextarea(AdminTextareaWidget):
    """Browsers send line breaks as CR LF; without this, saving a form as it stands would change its texts."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = super().value_from_datadict(data, files, name)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value


class ReadableJSONField(forms.JSONField):
    """Indented JSON that must be an object, or a list, like the model field's default; empty means the default."""

    widget = PlainTextarea

    def __init__(self, *, shape: type[dict[str, Any]] | type[list[Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = shape

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return value
        return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if cleaned is None:
            return self.shape()
        if not isinstance(cleaned, self.shape):
            raise ValidationError(f"This must be {_SHAPES[self.shape]}.")
        return cleaned


class LinesField(forms.CharField):
    """A list of texts, one in each line; empty lines are left out."""

    widget = PlainTextarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


def json_form_field(field: "models.JSONField[Any, Any]") -> forms.Field:
    """The form field of a model's JSON field that defaults to `dict` or `list`."""
    help_text, label = field.help_text, field.verbose_name.capitalize()
    return ReadableJSONField(shape=field.default, required=not field.blank, help_text=help_text, label=label)


def pretty_json(value: Any) -> SafeString:
    """Indented JSON; the line breaks within its texts are shown as such, since prompts are long."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre class="json">{}</pre>', _LINE_BREAK.sub(lambda match: f"{match[1]}\n", text))
