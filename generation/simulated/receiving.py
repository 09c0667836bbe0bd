"""Reading a request's body."""

import json

from starlette.requests import Request

from generation.simulated.refusal import too_large


async def json_of(request: Request, *, largest: int) -> object:
    """The body as JSON; None when it is none. Raises `Refusal`, a 413, when it is larger than so many bytes."""
    if _announced(request) > largest:
        raise too_large("Request exceeds the maximum size")
    raw = await request.body()
    if len(raw) > largest:
        raise too_large("Request exceeds the maximum size")
    try:
        value = json.loads(raw)
        if rb"\ud" in raw.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return value


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
