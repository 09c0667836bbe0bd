"""What a column holds: its default, and its meaning from the field's help text, comment, choices and reference."""

from enum import Enum
from typing import Any, TypeAlias

from django.db import models

from convgen.schema.catalogue import Column
from convgen.schema.comments import comments_of

Model = type[models.Model]
Field: TypeAlias = models.Field

ON_DELETE: dict[Any, str] = {
    models.CASCADE: "deleted with it",
    models.SET_NULL: "emptied when that is deleted",
    models.PROTECT: "keeps that from being deleted",
    models.DO_NOTHING: "unchanged when that is deleted",
}


def field_of(model: Model, column: Column) -> Field | None:
    return next((field for field in model._meta.local_concrete_fields if field.column == column.name), None)


def meaning_of(model: Model, column: Column) -> str:
    """Sentences; "" where nothing is said of it."""
    field = field_of(model, column)
    if field is None:
        return column.comment
    key = "The row's key." if field.primary_key else ""
    said = str(field.help_text) or _comment_on(model, field) or column.comment or key
    return " ".join(part for part in (said, _reference(field), _words(field)) if part)


def default_of(model: Model, column: Column) -> str:
    """PostgreSQL's default, or else the product's; "" without."""
    field = field_of(model, column)
    if column.default or field is None:
        return column.default
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return "now"
    if field.default is models.NOT_PROVIDED:
        return ""
    return _value(field.default)


def _comment_on(model: Model, field: Field) -> str:
    """Of a version: what is said of the same field of the row."""
    kept = getattr(model, "instance_type", model)
    return comments_of(kept).fields.get(field.name, "")


def _reference(field: Field) -> str:
    if not isinstance(field, models.ForeignKey):
        return ""
    table = field.related_model._meta.db_table
    return f"Leads to `{table}`; {ON_DELETE[field.remote_field.on_delete]}."


def _words(field: Field) -> str:
    """The words that the column may hold."""
    values = [value for value, _label in field.flatchoices]
    return f"One of {', '.join(f'`{value}`' for value in values)}." if values else ""


def _value(default: Any) -> str:
    if default in (dict, list):
        return "{}" if default is dict else "[]"
    if callable(default):
        return f"{default.__name__}()"
    return repr(default.value if isinstance(default, Enum) else default) if isinstance(default, str) else str(default)
