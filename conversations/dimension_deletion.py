"""Deletion of a dimension that templates may be meant for."""

from django.db import transaction

from conversations.models import Dimension

NAMED = 5  # templates that a refusal names


class DimensionInUse(Exception):
    """Templates are meant for it; without it they would be meant for all of its kind. The message names them."""


@transaction.atomic
def delete(dimension: Dimension) -> None:
    """Delete it; conversations keep the word that they were made with. Raises `DimensionInUse`."""
    names = list(dimension.templates.order_by("name").values_list("name", flat=True))
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        raise DimensionInUse(
            f"Templates are meant for this {dimension.kind}: {', '.join(names[:NAMED])}{more}. "
            "Take it out of them first, or set it inactive."
        )
    dimension.delete()
