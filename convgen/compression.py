"""Pages are sent compressed, and nothing else that is made for a request (docs/decisions/0024)."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressedPages(GZipMiddleware):
    """Django's, for HTML alone: it would make the API's ETags weak ones, and hold back the parts of an export."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if not is_page or response.streaming or response.has_header("ETag"):
            return response
        return super().process_response(request, response)
