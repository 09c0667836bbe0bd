"""The ways in which simulated Claude can fail on request.

A fault is written as its name, or as `name:number`: `429:7` asks to wait for seven seconds, `slow:2.5` answers so many
seconds later, `hang:5` gives up after five.
"""

import asyncio
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from generation.simulated.refusal import Refusal

Reply = dict[str, Any]
HANG_SECONDS = 3_600.0
SLOW_SECONDS = 1.0
RESET = "simulated-claude.reset"  # the extension of ASGI by which a connection can be torn down


@dataclass(frozen=True)
class Fault:
    """`number` is what stands behind the colon; None where nothing does."""

    name: str
    number: float | None = None

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}:{self.number:g}"

    def error(self) -> Refusal | None:
        """The error that it is; None when it is something else."""
        if self.name not in _ERRORS:
            return None
        error = _ERRORS[self.name]
        return error() if self.number is None else error(retry_after=self.number)

    def shaped(self, reply: Reply) -> Reply:
        """The reply as this fault spoils it; as it is, when the fault is something else."""
        shape = _SHAPES.get(self.name)
        return shape(reply) if shape and reply["content"] else reply

    def broken(self) -> Response | None:
        """What is sent in place of a reply; None when there is a reply."""
        return _BROKEN[self.name](self.number) if self.name in _BROKEN else None

    @property
    def spoils(self) -> bool:
        """Whether it leaves a reply, but a wrong one."""
        return self.name in _SHAPES

    @property
    def breaks(self) -> bool:
        """Whether something else is sent in place of a reply."""
        return self.name in _BROKEN

    @property
    def loses(self) -> bool:
        """Whether only the answer is missing: what was asked for is done."""
        return self.name == "unanswered"

    @property
    def delay(self) -> float:
        """Seconds by which the answer is later than usual."""
        if self.name != "slow":
            return 0.0
        return SLOW_SECONDS if self.number is None else self.number

    @property
    def at_once(self) -> bool:
        """Whether it does not take the time that a reply takes."""
        return self.name in (*_ERRORS, "reset")


def parse_fault(text: str) -> Fault:
    """Such as `429`, `429:7`. Raises `ValueError`, which says what there is, for what is no fault."""
    name, colon, number = text.partition(":")
    if name not in FAULTS:
        raise ValueError(f"Unknown fault: {name}. Known are {', '.join(FAULTS)}.")
    if not colon:
        return Fault(name)
    if name not in _WITH_NUMBER:
        raise ValueError(f"The fault {name} takes no number: write {name} alone.")
    try:
        seconds = float(number)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{text}: behind the colon belongs a number of seconds, 0 or more.")
    return Fault(name, seconds)


# --- Errors ----------------------------------------------------------------------------------------------

_SPEND_LIMIT = {"error_code": "enforced_spend_limit_reached"}
_ON_HOLD = {"error_code": "organization_on_hold"}
_RATE = "This request would exceed your rate limit."

_ERRORS: dict[str, partial[Refusal]] = {
    "400": partial(Refusal, 400, "invalid_request_error", "The request is not valid."),
    "401": partial(Refusal, 401, "authentication_error", "invalid x-api-key"),
    "402": partial(Refusal, 402, "billing_error", "There is an issue with your billing or payment information."),
    "403": partial(Refusal, 403, "permission_error", "Your API key does not have permission to do this."),
    "404": partial(Refusal, 404, "not_found_error", "The requested resource was not found."),
    "408": partial(Refusal, 408, "timeout_error", "The request body did not arrive in time."),
    "409": partial(Refusal, 409, "conflict_error", "The request conflicts with another one."),
    "413": partial(Refusal, 413, "request_too_large", "Request exceeds the maximum size."),
    "422": partial(Refusal, 422, "invalid_request_error", "The request cannot be processed."),
    "429": partial(Refusal, 429, "rate_limit_error", _RATE, retry_after=1),
    "429-without-retry-after": partial(Refusal, 429, "rate_limit_error", _RATE),
    "spend-limit": partial(
        Refusal, 429, "rate_limit_error", "You have reached your specified API usage limits.", details=_SPEND_LIMIT
    ),
    "on-hold": partial(Refusal, 400, "invalid_request_error", "This organization has been disabled.", details=_ON_HOLD),
    "500": partial(Refusal, 500, "api_error", "Internal server error"),
    "502": partial(Refusal, 502, "api_error", "Bad gateway"),
    "503": partial(Refusal, 503, "api_error", "Service unavailable"),
    "504": partial(Refusal, 504, "timeout_error", "The request timed out."),
    "529": partial(Refusal, 529, "overloaded_error", "Overloaded"),
}


# --- Replies that are spoilt -----------------------------------------------------------------------------


def _text(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}]


def _malformed(reply: Reply) -> Reply:
    return {**reply, "content": _text('Here is the conversation: {"title": "A talk", "turns": [')}


def _wrong_schema(reply: Reply) -> Reply:
    return {**reply, "content": _text(json.dumps({"conversation": {"speaker": "user", "says": "Hello?"}}))}


def _no_text(reply: Reply) -> Reply:
    return {**reply, "content": []}


def _thinking_first(reply: Reply) -> Reply:
    """A good reply: the thought's text is left out, as it is by default, and its signature stays."""
    return {**reply, "content": [{"type": "thinking", "thinking": "", "signature": "c2ltdWxhdGVk"}, *reply["content"]]}


def _cut_off(reply: Reply) -> Reply:
    text = reply["content"][-1]["text"]
    return {**reply, "content": _text(text[: len(text) // 2]), "stop_reason": "max_tokens"}


def _refused(reply: Reply) -> Reply:
    details = {"type": "refusal", "category": "frontier_llm", "explanation": "The request was declined."}
    return {**reply, "content": [], "stop_reason": "refusal", "stop_details": details}


_SHAPES: dict[str, Callable[[Reply], Reply]] = {
    "malformed": _malformed,
    "wrong-schema": _wrong_schema,
    "no-text": _no_text,
    "thinking-first": _thinking_first,
    "cut-off": _cut_off,
    "refusal": _refused,
}


# --- Answers that are none -------------------------------------------------------------------------------


class ConnectionBroken(Exception):
    """Raised in the middle of an answer: the server then closes the connection."""


class BrokenOff(Response):
    """It never comes to its end."""


class ShortResponse(BrokenOff):
    """An answer that promises more than it sends."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise ConnectionBroken


class ResetResponse(BrokenOff):
    """No answer: the connection is torn down, so late that the request was read."""

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        scope["extensions"][RESET]["reset"]()
        raise ConnectionBroken


class HangingResponse(ShortResponse):
    """Nothing for so many seconds, and then half an answer."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self._seconds)
        await super().__call__(scope, receive, send)


def _not_json(_number: float | None) -> Response:
    return Response("<html><body>Welcome to the hotel's network.</body></html>", media_type="application/json")


_BROKEN: dict[str, Callable[[float | None], Response]] = {
    "not-json": _not_json,
    "short-body": lambda _number: ShortResponse(),
    "reset": lambda _number: ResetResponse(),
    "hang": lambda number: HangingResponse(HANG_SECONDS if number is None else number),
    "unanswered": lambda number: HangingResponse(HANG_SECONDS if number is None else number),
}


# --- All of them -----------------------------------------------------------------------------------------

_WITH_NUMBER = {"408", "409", "429", "500", "502", "503", "504", "529", "hang", "slow", "unanswered"}

FAULTS: dict[str, str] = {
    **{name: f"{error.args[0]} {error.args[1]}" for name, error in _ERRORS.items()},
    "429": "429 rate_limit_error, retry-after 1 s",
    "429-without-retry-after": "429 that does not say how long to wait",
    "spend-limit": "429 that no waiting cures: enforced_spend_limit_reached",
    "on-hold": "400 with organization_on_hold",
    "malformed": "the text is broken JSON",
    "wrong-schema": "the text is JSON of another shape",
    "no-text": "a reply without any content",
    "thinking-first": "a good reply whose first block is a thought",
    "cut-off": "the reply ends at max_tokens",
    "refusal": "Claude declines",
    "not-json": "200 with something that is not JSON",
    "short-body": "the connection closes in the middle of the body",
    "reset": "the connection is torn down before any answer",
    "hang": "no answer for an hour, or for the seconds behind the colon",
    "unanswered": "the answer is lost: like hang, but a message batch is created or cancelled",
    "slow": "a good answer, later by one second, or by those behind the colon",
}
