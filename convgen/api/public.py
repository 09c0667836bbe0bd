"""What anybody may read: throttled by address, or as the reads of whoever is signed in."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from convgen.api.pages import Pages
from convgen.api.throttling import Group, say_what_is_left
from convgen.throttling import Allowance


class PublicView(APIView):
    permission_classes = [AllowAny]
    throttle_groups: ClassVar[Mapping[str, Group]] = {}
    allowance: Allowance | None = None
    schema = None

    def handle_exception(self, exc: Exception) -> Any:
        """Errors have the one shape here too, whatever else the view renders."""
        page = "text/html" in self.request.headers.get("Accept", "")
        self.request.accepted_renderer = Pages() if page else JSONRenderer()
        self.request.accepted_media_type = self.request.accepted_renderer.media_type
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        finalized = super().finalize_response(request, response, *args, **kwargs)
        say_what_is_left(finalized, self.allowance)
        return finalized
