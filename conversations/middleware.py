"""Enters, for each request, the scope of the workspace that its person works in."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponseNotFound
from django.http.response import HttpResponseBase, StreamingHttpResponse

from conversations.choosing import SESSION_KEY, WorkspaceRefused, Workspaces, choose
from convgen.api import PREFIX
from convgen.tenancy import Scope, workspace_scope

HEADER = "X-Workspace"  # a slug, or `*` for all


class WorkspaceMiddleware:
    """Sets `request.workspaces`, and the scope until the response has been sent. It opens no transaction."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            workspaces = _workspaces(request)
        except WorkspaceRefused as refused:
            if request.path_info.startswith(PREFIX):
                return self._in(Workspaces(), request)  # the API says it in its own words
            return HttpResponseNotFound(f"{refused}\n", content_type="text/plain; charset=utf-8")
        return self._in(workspaces, request)

    def _in(self, workspaces: Workspaces, request: HttpRequest) -> HttpResponseBase:
        request.workspaces = workspaces  # type: ignore[attr-defined]
        with workspace_scope(workspaces.scope):
            response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse):
            keep_scope(response, workspaces.scope)
        return response


def _workspaces(request: HttpRequest) -> Workspaces:
    """None where nobody has signed in, nor for the API, which chooses by itself and refuses in its own words."""
    if request.path_info.startswith(PREFIX) or not request.user.is_authenticated:
        return Workspaces()
    asked, chosen = request.headers.get(HEADER, ""), request.session.get(SESSION_KEY, "")
    return choose(request.user, asked=asked, chosen=chosen)


def keep_scope(response: StreamingHttpResponse, scope: Scope) -> None:
    """The parts of a streaming response are made when they are sent, after the middleware has returned."""
    content: Any = response.streaming_content
    response.streaming_content = _parts_later(content, scope) if response.is_async else _parts(content, scope)


def _parts(content: Iterable[bytes], scope: Scope) -> Iterator[bytes]:
    """Enter the scope for each part anew: between the parts, the code that sends them has a scope of its own."""
    parts = iter(content)
    while True:
        with workspace_scope(scope):
            part = next(parts, None)
        if part is None:
            return
        yield part


async def _parts_later(content: AsyncIterable[bytes], scope: Scope) -> AsyncIterator[bytes]:
    parts = aiter(content)
    while True:
        with workspace_scope(scope):
            part = await anext(parts, None)
        if part is None:
            return
        yield part
