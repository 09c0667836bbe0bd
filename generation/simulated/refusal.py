"""An answer that is an error, in Anthropic's shape."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response


class Refusal(Exception):
    """The request is answered with an error: `status` is HTTP's, `kind` Anthropic's `error.type`.

    `details` is the error's machine-readable part (`error.details`, with its `error_code`). `retry_after` is in
    seconds; None sends no such header.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.details = details
        self.retry_after = retry_after

    def body(self, request_id: str) -> dict[str, Any]:
        """The error as JSON: what a live request is answered with, and an errored one of a batch."""
        error: dict[str, Any] = {"type": self.kind, "message": str(self)}
        if self.details is not None:
            error["details"] = dict(self.details)
        return {"type": "error", "error": error, "request_id": request_id}

    def response(self, request_id: str) -> Response:
        headers = {} if self.retry_after is None else {"retry-after": f"{self.retry_after:g}"}
        return JSONResponse(self.body(request_id), status_code=self.status, headers=headers)


def invalid(message: str) -> Refusal:
    """A 400: the request breaks a rule."""
    return Refusal(400, "invalid_request_error", message)


def not_found(message: str) -> Refusal:
    return Refusal(404, "not_found_error", message)


def too_large(message: str) -> Refusal:
    return Refusal(413, "request_too_large", message)
