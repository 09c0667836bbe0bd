"""What a browser may load for a page, and from where: a Content-Security-Policy by what is answered (django-csp).

A view says otherwise with `csp.decorators.csp`.
"""

from typing import Any

from csp.constants import NONE, SELF
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# An answer that is no page loads nothing, wherever it is shown.
NOTHING = {"default-src": [NONE], "frame-ancestors": [NONE]}

# A page of our own: our files, and nothing that stands within the page.
PAGE = {
    **NOTHING,
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
}


class ContentSecurityPolicy(CSPMiddleware):
    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only:
            parts.config = _policy_of(response)
        return parts


def _policy_of(response: HttpResponseBase) -> dict[str, Any]:
    return PAGE if response.headers.get("Content-Type", "").startswith("text/html") else NOTHING
