"""What a client knows already: `ETag`, `If-None-Match` and 304; and what it expects: `If-Match`."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

PARAMETERS = [
    OpenApiParameter(
        "If-None-Match",
        location=OpenApiParameter.HEADER,
        description="The `ETag` of the answer that you have: 304, without a body, while it is still the same.",
    ),
    OpenApiParameter("ETag", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200]),
    OpenApiParameter("Cache-Control", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200]),
]
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="Another one after every change.",
)
EXPECTED = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The `ETag` of what you have read: if somebody has changed it meanwhile, nothing is done, and the "
    "answer is 412.",
)


def etag_of(value: Any) -> str:
    """The same for the same JSON, and another one for whatever else."""
    return f'"{hashlib.sha256(JSONRenderer().render(value)).hexdigest()[:32]}"'


def unless_known(request: Request, told: Mapping[str, Any], *, seconds: int) -> Any:
    """The answer, which may be kept for so many seconds by the client alone; 304 if the client has it."""
    return unless_known_by(request, etag_of(told), lambda: told, seconds=seconds)


def unless_known_by(request: Request, etag: str, tell: Callable[[], Mapping[str, Any]], *, seconds: int) -> Any:
    """The same where the ETag is known before the answer is made: `tell` is called for those who need it."""
    return marked(known_already(request, etag) or Response(tell()), etag, seconds=seconds)


def known_already(request: Request, etag: str) -> Any:
    """304, if the client has what the ETag stands for; else None."""
    return get_conditional_response(request._request, etag=etag)


def marked(response: Any, etag: str, *, seconds: int = 0) -> Any:
    """The response with its ETag; it may be kept for so many seconds by the client alone."""
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={seconds}" if seconds else "private, no-cache"
    response["Vary"] = "Authorization, Cookie, X-Workspace"
    return response


def expected_etags(request: Request) -> Collection[str] | None:
    """Those that the client expects in `If-Match`; None where it takes whatever is there, or says nothing.

    None of them can be what is there where the header is unreadable. A proxy that compresses marks tags as weak
    (`W/`), which RFC 9110 would have us refuse. Ours differ whenever the row does, so that nothing is lost by taking
    them.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    return [each.removeprefix("W/") for each in parse_etags(header)]


def is_expected(request: Request, etag: str) -> bool:
    """Whether it is what the client expects; true where it takes whatever is there."""
    expected = expected_etags(request)
    return expected is None or etag in expected
