"""`/api/`: what there is, by name and address."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from convgen.api import PREFIX
from convgen.api.description import description
from convgen.api.public import PublicView

DESCRIBED = ("schema", "docs", "redoc")


class Root(PublicView):
    """Every list there is, by name, and then where the API is described."""

    name = "The API of convgen"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response({name: request.build_absolute_uri(f"{PREFIX}{name}/") for name in _names()})


def _names() -> list[str]:
    """The first parts of the addresses that can be read and need no id."""
    paths = description()["paths"].items()
    return [*(path.split("/")[2] for path, methods in paths if path.count("/") == 3 and "get" in methods), *DESCRIBED]
