"""What PostgreSQL knows of a table: the same on all its versions, and whatever partitions there are today."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import connection

TABLE = """
SELECT coalesce(pg_get_partkeydef(oid), ''), relforcerowsecurity, coalesce(obj_description(oid, 'pg_class'), '')
FROM pg_class WHERE oid = to_regclass(%s)
"""

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull,
    CASE WHEN attidentity <> '' THEN 'counted up' WHEN attgenerated <> '' THEN 'computed'
         ELSE coalesce(pg_get_expr(adbin, adrelid), '') END,
    coalesce(col_description(attrelid, attnum), '')
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""

# Without the NOT NULL constraints, which PostgreSQL 18 lists here as well: the columns tell.
CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid), coalesce(obj_description(oid, 'pg_constraint'), '')
FROM pg_constraint WHERE conrelid = to_regclass(%s) AND contype IN ('p', 'u', 'c', 'f', 'x')
"""

# Without those that only serve a constraint.
INDEXES = """
SELECT relname,
    CASE WHEN indisunique THEN 'unique ' ELSE '' END || substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)$'),
    coalesce(obj_description(indexrelid, 'pg_class'), '')
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = to_regclass(%s) AND NOT EXISTS (
    SELECT FROM pg_constraint
    WHERE conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u', 'x')
)
"""

TRIGGERS = r"""
SELECT tgname,
    regexp_replace(pg_get_triggerdef(oid), '^CREATE .*?TRIGGER \S+ (.*?) ON \S+ (.*) EXECUTE .*$', '\1, \2'),
    coalesce(obj_description(oid, 'pg_trigger'), '')
FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal
"""

POLICIES = """
SELECT polname,
    CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
         ELSE 'all commands' END,
    coalesce(obj_description(oid, 'pg_policy'), '')
FROM pg_policy WHERE polrelid = to_regclass(%s)
"""

TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""

TYPE = r"::(?:character varying|timestamp with time zone|double precision|\w+)(?:\(\d+(?:,\d+)?\))?(?:\[\])*"


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    nullable: bool
    default: str  # PostgreSQL's own; "" without
    comment: str


@dataclass(frozen=True)
class Part:
    """A constraint, an index, a trigger or a policy."""

    name: str
    definition: str
    comment: str  # given by COMMENT ON; "" without


@dataclass(frozen=True)
class Table:
    name: str
    partition_key: str  # RANGE (created_at); "" when it is one table
    owner_is_guarded: bool  # whether row-level security holds for the owner too
    comment: str
    columns: list[Column]
    constraints: list[Part]
    indexes: list[Part]
    triggers: list[Part]
    policies: list[Part]


class TableMissing(LookupError):
    """The database has no such table: migrations are missing."""


def table_names() -> set[str]:
    """All tables, those of partitions excepted."""
    return {name for (name,) in _rows(TABLES)}


def read(name: str) -> Table:
    """Raises `TableMissing`."""
    found = _rows(TABLE, name)
    if not found:
        raise TableMissing(name)
    ((partition_key, owner_is_guarded, comment),) = found
    return Table(
        name=name,
        partition_key=partition_key,
        owner_is_guarded=owner_is_guarded,
        comment=comment,
        columns=[Column(*column) for column in _rows(COLUMNS, name)],
        constraints=_parts(CONSTRAINTS, name),
        indexes=_parts(INDEXES, name),
        triggers=_parts(TRIGGERS, name),
        policies=_parts(POLICIES, name),
    )


def _parts(query: str, table: str) -> list[Part]:
    parts = [Part(name, _readable(definition), comment) for name, definition, comment in _rows(query, table)]
    return sorted(parts, key=lambda part: part.name)


def _readable(definition: str) -> str:
    """Without the casts, quotes and brackets that PostgreSQL adds, and what holds for every foreign key."""
    plain = re.sub(TYPE, "", re.sub(rf"\((\w+)\){TYPE}", r"\1", definition.replace('"', "")))
    plain = re.sub(r"\(\((ARRAY\[[^]]*\])\)\)", r"(\1)", plain)
    return re.sub(r"^CHECK \(\((.*)\)\)$", r"CHECK (\1)", plain).removesuffix(" DEFERRABLE INITIALLY DEFERRED")


def _rows(query: str, *parameters: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters or None)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
