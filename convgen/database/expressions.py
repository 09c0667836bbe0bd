"""Conditions that Django does not have."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, QuerySet


class Among(Func):
    """A key is one of an array."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    output_field = BooleanField()


def among(key: str, rows: QuerySet[Any]) -> Among:
    """The condition that `key` is the primary key of one of the rows.

    Unlike `key__in`, it is no join: PostgreSQL computes the keys first, and once, and then looks them up in an index,
    even as one of several conditions joined by OR. For few rows.
    """
    return Among(F(key), ArraySubquery(rows.values("pk")))
