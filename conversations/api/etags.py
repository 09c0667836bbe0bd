"""ETags: whether a conversation is still as the client read it."""

import hashlib
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request

ASKED = "If-None-Match"
EXPECTED = "If-Match"


def etag_of(conversation: Any) -> str:
    """Another one after every change of the conversation, and of the names that are shown with it.

    Expects a row of `finding.shown`.
    """
    known = (conversation.updated_at.isoformat(), conversation.template_name, conversation.author)
    return f'"{hashlib.sha256(repr(known).encode()).hexdigest()[:32]}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether the client has it already, as it says in `If-None-Match`."""
    return _names(request.headers.get(ASKED), etag)


def is_expected(request: Request, etag: str) -> bool:
    """Whether it is what the client expects in `If-Match`; true where it expects nothing."""
    expected = request.headers.get(EXPECTED)
    return expected is None or _names(expected, etag)


def _names(header: str | None, etag: str) -> bool:
    """A proxy that compresses marks tags as weak (`W/`). Ours differ whenever the row does, so that nothing is lost."""
    named = parse_etags(header or "")
    return named == ["*"] or etag in (each.removeprefix("W/") for each in named)
