"""How many rows refer to another, beside each row of a list."""

from django.db.models import Count, IntegerField, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce


def number_of(model: type[Model], *, by: str) -> Coalesce:
    """Of the model's rows, those whose reference `by` leads here. Counted for the rows of a page; a join counts all."""
    mine = model._default_manager.filter(**{by: OuterRef("pk")}).order_by().values(by)
    counted = mine.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
