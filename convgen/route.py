"""On whose behalf a statement runs: a page, a batch, a command.

A route is set at the door and holds for all that is called from there:

    with route(f"batch {job.pk}"):
        ...

It belongs to the context, as the scope does (`convgen/tenancy/scope.py`): another thread needs a copy of the context.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

from convgen.process_name import process_name

_route: ContextVar[object] = ContextVar("route", default=None)


@contextmanager
def route(name: object) -> Iterator[None]:
    """Do the block's work on behalf of `name`: a text, or what becomes one when it is asked for."""
    token = _route.set(name)
    try:
        yield
    finally:
        _route.reset(token)


def current_route() -> str:
    """Where nobody has named one, it is the process: `manage.py export_conversations` has the route of that name."""
    name = _route.get()
    return process_name() if name is None else str(name)


class _OfRequest:
    """A page's method and URL pattern. Never its path: that may hold names, and whatever a stranger writes."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def __str__(self) -> str:
        match = self.request.resolver_match  # none before the middlewares are through
        return f"{self.request.method} {match.route if match else '(before its view)'}"


@sync_and_async_middleware
def route_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> Any:
            with route(_OfRequest(request)):
                return await get_response(request)

        return answer_async

    def answer(request: HttpRequest) -> Any:
        with route(_OfRequest(request)):
            return get_response(request)

    return answer
