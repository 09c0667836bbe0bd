"""The order of a list, as the client asks for it."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request


class Ordering(OrderingFilter):
    """`?ordering=quality` or `-quality`: a name of the view's `orderings`, which gives its column.

    The view's `tie_breakers`, the last of which is unique, follow in the same direction, so that an index holds the
    whole order. Without the parameter it is that of the view's `ordering`, such as `-created`.
    """

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        asked = request.query_params.get(self.ordering_param) or view.ordering
        name, sign = asked.lstrip("-"), "-" if asked.startswith("-") else ""
        if name not in view.orderings or asked not in (name, f"-{name}"):
            raise ValidationError({self.ordering_param: f"Choose one of: {', '.join(_choices(view))}."})
        column = view.orderings[name]
        others = [tie_breaker for tie_breaker in view.tie_breakers if tie_breaker != column]
        return tuple(f"{sign}{each}" for each in (column, *others))

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        return queryset  # the pages order it

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": self.ordering_param,
                "in": "query",
                "required": False,
                "description": f"Default: {view.ordering}. A minus turns the order round.",
                "schema": {"type": "string", "enum": _choices(view)},
            }
        ]


def _choices(view: Any) -> list[str]:
    return [each for name in view.orderings for each in (name, f"-{name}")]
