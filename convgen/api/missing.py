"""Addresses below `/api/` that lead nowhere."""

from typing import Any

from django.urls import Resolver404, resolve
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


class Missing(APIView):
    """404 in the API's own shape, whatever the method is."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    schema = None
    name = "Nothing is here"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(f"There is nothing at {request.path}. {_hint(request.path)}".strip())


def _hint(path: str) -> str:
    if path.endswith("/"):
        return "/api/schema/ lists what there is."
    try:
        match = resolve(f"{path}/")
    except Resolver404:
        return ""
    return "" if getattr(match.func, "view_class", None) is Missing else f"Addresses end in a slash: {path}/"
