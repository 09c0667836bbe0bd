"""Pages of a list, each found by where the last one ended: the last of a million rows as quickly as the first."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import F, Field, Func, Q, TextField, Value
from django.db.models.lookups import GreaterThan, LessThan
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

Column: TypeAlias = "Field[Any, Any]"

MOST = 200  # rows of a page
UNREADABLE = "This cursor is not one of this list in this order. Follow `next` and `previous` as they were given."


@dataclass(frozen=True)
class Position:
    """The row that a page begins after, as the values that it is ordered by; `backwards`: the page ends before it."""

    values: list[Any]
    backwards: bool = False


class _Row(Func):
    """`ROW(a, b)`: PostgreSQL compares such rows from the left, by an index that has these columns."""

    template = "ROW(%(expressions)s)"
    output_field = TextField()


class KeysetPagination(CursorPagination):
    """Ordered by columns in one direction, the last of which tell all rows apart.

    Where the first column may hold nothing, such rows come where PostgreSQL has them: last, or first in reverse.
    """

    page_size = 50
    page_size_query_param = "page_size"
    page_size_query_description = f"Rows of a page, at most {MOST}."
    max_page_size = MOST
    ordering: tuple[str, ...] = ("-created_at", "-id")
    page: list[Any]
    base_url: str

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size = self._size(request)
        self.base_url = request.build_absolute_uri()
        self.ordering = self.get_ordering(request, queryset, view)
        self._model = queryset.model
        position = self._position(request)
        backwards = position is not None and position.backwards
        if position:
            queryset = queryset.filter(self._after(position))
        rows = list(queryset.order_by(*self._directed(backwards))[: size + 1])
        more, page = len(rows) > size, rows[:size]
        self.page = page[::-1] if backwards else page
        self.has_next = bool(page) and (backwards or more)
        self.has_previous = bool(page) and (more if backwards else position is not None)
        self.display_page_controls = self.has_next or self.has_previous
        return self.page

    def get_next_link(self) -> str | None:
        return self._link(self.page[-1], backwards=False) if self.has_next else None

    def get_previous_link(self) -> str | None:
        return self._link(self.page[0], backwards=True) if self.has_previous else None

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": MOST, "default": self.page_size}
        return parameters

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        following = "https://convgen.example.com/api/conversations/?cursor=W1siLWNyZWF0ZWRfYXQiLCItaWQiXSxmYWxzZSxbXV0="
        links = {"next": {**link, "example": following}, "previous": {**link, "example": None}}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {**links, "results": schema},
        }

    def _size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param or "")
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= MOST):
            raise ValidationError({"page_size": f"A page has 1 to {MOST} rows."})
        return int(asked)

    @property
    def _columns(self) -> list[str]:
        return [name.lstrip("-") for name in self.ordering]

    @property
    def _descending(self) -> bool:
        return self.ordering[0].startswith("-")

    def _directed(self, backwards: bool) -> Sequence[str]:
        sign = "-" if self._descending != backwards else ""
        return [f"{sign}{name}" for name in self._columns]

    def _fields(self) -> list[Column]:
        return [self._model._meta.get_field(name) for name in self._columns]

    def _after(self, position: Position) -> Q:
        """The condition on the rows that come after the position, in the direction of reading."""
        downwards = self._descending != position.backwards
        first, *others = self._columns
        compare = LessThan if downwards else GreaterThan
        empty = Q(**{f"{first}__isnull": True})
        if position.values[0] is None:
            later = empty & Q(compare(self._row(others), self._values(position.values[1:], others)))
            return later | ~empty if downwards else later
        later = Q(compare(self._row(self._columns), self._values(position.values, self._columns)))
        nullable = _typed(self._model._meta.get_field(first)).null
        return later if downwards or not nullable else later | empty

    def _row(self, names: list[str]) -> _Row:
        return _Row(*(F(name) for name in names))

    def _values(self, values: list[Any], names: list[str]) -> _Row:
        fields = [_typed(self._model._meta.get_field(name)) for name in names]
        return _Row(*(Value(value, output_field=field) for value, field in zip(values, fields, strict=True)))

    def _position(self, request: Request) -> Position | None:
        encoded = request.query_params.get(self.cursor_query_param)
        if not encoded:
            return None
        try:
            ordering, backwards, told = json.loads(urlsafe_b64decode(encoded.encode("ascii")))
            if ordering != list(self.ordering):
                raise ValueError
            values = [_read(field, value) for field, value in zip(self._fields(), told, strict=True)]
            if None in values[1:]:
                raise ValueError
        except (ValueError, TypeError, DjangoValidationError) as error:
            raise ValidationError({self.cursor_query_param: UNREADABLE}) from error
        return Position(values, bool(backwards))

    def _link(self, row: Any, *, backwards: bool) -> str:
        told = [list(self.ordering), backwards, [_written(field, row) for field in self._fields()]]
        encoded = urlsafe_b64encode(json.dumps(told).encode()).decode("ascii")
        return replace_query_param(self.base_url, self.cursor_query_param, encoded)


def _written(field: Column, row: Any) -> str | None:
    return None if getattr(row, field.attname) is None else field.value_to_string(row)


def _read(field: Column, told: Any) -> Any:
    """A value of the column. Raises what `_position` takes for a bad cursor."""
    typed = _typed(field)
    if told is None and typed.null:
        return None
    if not isinstance(told, str) or "\0" in told:
        raise ValueError
    value = typed.to_python(told)
    typed.run_validators(value)
    return value


def _typed(field: Column) -> Column:
    """The field that says what the column holds: of a generated one, that of its expression."""
    return getattr(field, "output_field", field)
