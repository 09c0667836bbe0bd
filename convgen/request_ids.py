"""One id for each request: in its answer, and in every line that is logged on its behalf.

A client may send one of its own in `X-Request-ID`, such as that of the proxy in front, to follow a request through both
logs.
"""

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import uuid_utils
from asgiref.sync import iscoroutinefunction
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

HEADER = "X-Request-ID"
HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}")  # nothing that could forge a line of the log

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """That of the request at hand; "" outside of one."""
    return _request_id.get()


@sync_and_async_middleware
def request_id_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The outermost of all, so that what the others answer has an id as well.

    The id holds until the answer is sent: Django logs a failure after the last middleware has returned.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> Any:
            _request_id.set(_of(request))
            return _marked(await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> Any:
        _request_id.set(_of(request))
        return _marked(get_response(request))

    return answer


@receiver(request_finished)
def _forget(**_signal: Any) -> None:
    _request_id.set("")


def _of(request: HttpRequest) -> str:
    sent = request.headers.get(HEADER, "")
    return sent if HARMLESS.fullmatch(sent) else str(uuid_utils.uuid7())


def _marked(response: HttpResponseBase) -> HttpResponseBase:
    response[HEADER] = current_request_id()
    return response


class RequestIdFilter(logging.Filter):
    """Gives each line `request_id`: the id in brackets after a space, or nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        request_id = current_request_id()
        record.request_id = f" [{request_id}]" if request_id else ""
        return True
