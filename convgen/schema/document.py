"""docs/database.md: every table of ours, and why it is as it is."""

from collections.abc import Iterable, Iterator

from django.apps import apps
from django.db import models

from convgen.schema import catalogue, columns, reasons
from convgen.schema.catalogue import Column, Table

OURS = ("convgen", "conversations", "generation", "batches")

INTRODUCTION = """\
# The database

Written by `make docs` from the models and PostgreSQL's catalogue: change those, not this page. The tables of Django and
of the task queue are left out, and today's partitions. Foreign keys are checked at the end of a transaction."""

GUARDED = "Row-level security holds for the table's owner too."
UNGUARDED = "Row-level security does not hold for the table's owner."

Model = type[models.Model]


def database_document() -> str:
    """The page. Raises `TableMissing` when the database lacks migrations."""
    described = [(model, catalogue.read(model._meta.db_table)) for model in models_of_ours()]
    contents = [(f"[`{table.name}`](#{table.name})", reasons.of_table(model, table)) for model, table in described]
    blocks = [INTRODUCTION, _grid(("table", "holds"), contents)]
    for model, table in described:
        blocks += _section(model, table)
    return "\n\n".join(blocks) + "\n"


def models_of_ours() -> list[Model]:
    """Those with a table, in the order of its name."""
    found = [model for app in OURS for model in apps.get_app_config(app).get_models(include_auto_created=True)]
    return sorted((model for model in found if not model._meta.proxy), key=lambda model: model._meta.db_table)


def _section(model: Model, table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield reasons.of_table(model, table)
    if table.partition_key:
        yield f"Partitioned by `{table.partition_key}`."
    yield _grid(("column", "type", "null", "default", "meaning"), [_column(model, each) for each in table.columns])
    for kind, parts, reason in (
        ("constraint", table.constraints, reasons.of_constraint),
        ("index", table.indexes, reasons.of_index),
        ("trigger", table.triggers, reasons.of_trigger),
        ("policy", table.policies, reasons.of_policy),
    ):
        if parts:
            rows = [(_code(part.name), _code(part.definition), reason(model, part)) for part in parts]
            yield _grid((kind, "definition", "why"), rows)
    if table.policies:
        yield GUARDED if table.owner_is_guarded else UNGUARDED


def _column(model: Model, column: Column) -> tuple[str, ...]:
    return (
        _code(column.name),
        column.type,
        "null" if column.nullable else "",
        _code(columns.default_of(model, column)),
        columns.meaning_of(model, column),
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
