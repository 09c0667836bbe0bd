"""The ways in which simulated Claude can fail on request."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

Reply = dict[str, Any]
HANG_SECONDS = 3600.0


class ConnectionBroken(Exception):
    """Raised in the middle of an answer: the server then closes the connection."""


class BrokenResponse(Response):
    """An answer that promises more than it sends."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise ConnectionBroken


def error_response(status: int, kind: str, message: str, **headers: str) -> Response:
    """An error in Anthropic's shape."""
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": headers.get("request_id")}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status_code=status, headers=names)


async def _rate_limited(_reply: Reply) -> Response:
    return error_response(429, "rate_limit_error", "This request would exceed your rate limit.", retry_after="1")


async def _overloaded(_reply: Reply) -> Response:
    return error_response(529, "overloaded_error", "Overloaded")


async def _server_failed(_reply: Reply) -> Response:
    return error_response(500, "api_error", "Internal server error")


async def _malformed(reply: Reply) -> Response:
    reply["content"] = [{"type": "text", "text": 'Here is the conversation: {"title": "A talk", "turns": ['}]
    return JSONResponse(reply)


async def _cut_off(reply: Reply) -> Response:
    text = reply["content"][-1]["text"]
    reply["content"] = [{"type": "text", "text": text[: len(text) // 2]}]
    return JSONResponse({**reply, "stop_reason": "max_tokens"})


async def _refused(reply: Reply) -> Response:
    return JSONResponse({**reply, "content": [], "stop_reason": "refusal", "stop_details": _REFUSAL})


async def _reset(_reply: Reply) -> Response:
    return BrokenResponse()


async def _hang(_reply: Reply) -> Response:
    await asyncio.sleep(HANG_SECONDS)
    return BrokenResponse()


_REFUSAL = {"type": "refusal", "category": "frontier_llm", "explanation": "The request was declined."}

FAULTS: dict[str, Callable[[Reply], Awaitable[Response]]] = {
    "429": _rate_limited,
    "529": _overloaded,
    "500": _server_failed,
    "malformed": _malformed,
    "cut-off": _cut_off,
    "refusal": _refused,
    "reset": _reset,
    "hang": _hang,
}
