"""What anybody may read: throttled by address, or as the reads of whoever is signed in."""

from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer

from convgen.api.pages import Pages
from convgen.api.views import ThrottledView


class PublicView(ThrottledView):
    permission_classes = [AllowAny]
    schema = None

    def handle_exception(self, exc: Exception) -> Any:
        """Errors have the one shape here too, whatever else the view renders."""
        page = "text/html" in self.request.headers.get("Accept", "")
        self.request.accepted_renderer = Pages() if page else JSONRenderer()
        self.request.accepted_media_type = self.request.accepted_renderer.media_type
        return super().handle_exception(exc)
