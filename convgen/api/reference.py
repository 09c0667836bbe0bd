"""The schema, and the two pages that show it: Swagger UI to try it out, ReDoc to read. Nothing comes from elsewhere."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular import renderers
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView
from rest_framework.request import Request

from convgen.api.description import rendered
from convgen.api.public import PublicView
from convgen.content_security import PAGE

# ReDoc adds two <style> elements, which are named here by their hashes. styled-components, a library of it, puts its
# rules into an empty one by script, which no policy minds; the other holds the rules of its scroll bars.
# It searches in a worker that it makes itself.
EMPTY = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
SCROLL_BARS = "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
REDOC = {**PAGE, "style-src": [SELF, EMPTY, SCROLL_BARS], "worker-src": ["blob:"]}


class Schema(PublicView):
    """The OpenAPI document, as YAML or JSON."""

    renderer_classes = [
        renderers.OpenApiYamlRenderer,
        renderers.OpenApiYamlRenderer2,
        renderers.OpenApiJsonRenderer,
        renderers.OpenApiJsonRenderer2,
    ]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: Any = type(request.accepted_renderer)
        return HttpResponse(rendered(renderer), content_type=request.accepted_media_type)


class SwaggerView(PublicView, SpectacularSwaggerView):
    url_name = "api-schema"
    template_name = "api/swagger.html"


@method_decorator(csp(REDOC), name="dispatch")
class RedocView(PublicView, SpectacularRedocView):
    url_name = "api-schema"
    template_name = "api/redoc.html"
