"""Rows of an inline whose fields have names of their own, for those who cannot see the heads of its columns."""

from typing import Any

from django.forms import BaseInlineFormSet


class NamedFields(BaseInlineFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        row = "new row" if index is None else f"row {index + 1}"
        for bound in form.visible_fields():
            widget = bound.field.widget
            # A wrapper with links beside it shares its attributes with other forms; what it wraps does not.
            getattr(widget, "widget", widget).attrs["aria-label"] = f"{bound.label}, {row}"
