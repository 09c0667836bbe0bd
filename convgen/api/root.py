"""`/api/`: what there is, by name and address."""

from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.request import Request
from rest_framework.response import Response

from convgen.api import PREFIX
from convgen.api.public import PublicView

DESCRIBED = ("schema", "docs", "redoc")


class Root(PublicView):
    """Every list there is, by name, and then where the API is described."""

    name = "The API of convgen"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response({name: request.build_absolute_uri(f"{PREFIX}{name}/") for name in _names()})


def _names() -> list[str]:
    """The first parts of the addresses that can be read and need no id."""
    routes = {_plain(pattern) for pattern in _patterns(get_resolver("convgen.api.urls")) if _readable(pattern)}
    names = {route.removesuffix("/") for route in routes if route.count("/") == 1}
    return [*sorted(names - set(DESCRIBED)), *DESCRIBED]


def _patterns(resolver: URLResolver) -> list[URLPattern]:
    found: list[URLPattern] = []
    for each in resolver.url_patterns:
        found += _patterns(each) if isinstance(each, URLResolver) else [each]
    return found


def _plain(pattern: URLPattern) -> str:
    """A route without the signs of a regular expression: "dimensions/"."""
    return str(pattern.pattern).removeprefix("^").removesuffix(r"\Z").removesuffix("$")


def _readable(pattern: URLPattern) -> bool:
    actions = getattr(pattern.callback, "actions", None)  # of a viewset: by method
    view = getattr(pattern.callback, "cls", None)
    return "get" in actions if actions else hasattr(view, "get")
