"""Every answer has the id of its request, and so has every line that is logged on its behalf."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from convgen.api.views import ThrottledView
from convgen.request_ids import RequestIdFilter, current_request_id

logger = logging.getLogger(__name__)


def _page(request: HttpRequest) -> HttpResponse:
    logger.warning("a page")
    return HttpResponse(current_request_id())


async def _async_page(request: HttpRequest) -> HttpResponse:
    logger.warning("a page")
    return HttpResponse(current_request_id())


def _stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        logger.warning("a part")
        yield current_request_id()

    return StreamingHttpResponse(parts())


async def _async_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        logger.warning("a part")
        yield current_request_id()

    return StreamingHttpResponse(parts())


def _failing_page(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("What no answer may tell.")


class _Failing(ThrottledView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> HttpResponse:
        raise RuntimeError("What no answer may tell.")


urlpatterns = [
    path("page/", _page),
    path("async/", _async_page),
    path("stream/", _stream),
    path("async-stream/", _async_stream),
    path("failing/", _failing_page),
    path("api/failing/", _Failing.as_view()),
    path("", include("convgen.urls")),
]


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the process writes to its standard error, as `LOGGING` has it."""
    (handler,) = (
        handler
        for handler in logging.getLogger().handlers
        if any(isinstance(each, RequestIdFilter) for each in handler.filters)
    )
    assert isinstance(handler, logging.StreamHandler)
    written = StringIO()
    former = handler.setStream(written)
    yield written
    handler.setStream(former)


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("address", ["/page/", "/async/"])
def test_the_answer_and_the_lines_of_a_request_have_one_id(address: str, log: StringIO) -> None:
    responses: list[Any] = [Client().get(address), asyncio.run(AsyncClient().get(address))]
    for response in responses:
        request_id = response["X-Request-ID"]
        assert UUID(request_id).version == 7
        assert response.content.decode() == request_id
        assert f"WARNING {__name__} [{request_id}]: a page" in log.getvalue()
    assert responses[0]["X-Request-ID"] != responses[1]["X-Request-ID"]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("sent", ["0198f4c2-6b1e-7d3a-9c45-2f0e8a71b6d3", "nightly.export_7", "a" * 64])
def test_an_id_that_the_client_sends_is_kept(sent: str) -> None:
    assert Client().get("/page/", headers={"X-Request-ID": sent})["X-Request-ID"] == sent


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("sent", ["", "a" * 65, "two words", "a\nforged line", "[brackets]", "ünique", "a\x00"])
def test_one_that_could_do_harm_is_not(sent: str) -> None:
    assert UUID(Client().get("/page/", headers={"X-Request-ID": sent})["X-Request-ID"])


@pytest.mark.urls(__name__)
def test_what_is_streamed_after_the_answer_s_head_has_the_id(log: StringIO) -> None:
    response: Any = Client().get("/stream/")
    assert b"".join(response.streaming_content).decode() == response["X-Request-ID"]
    assert f"[{response['X-Request-ID']}]: a part" in log.getvalue()
    assert current_request_id() == ""


async def _streamed() -> tuple[Any, str]:
    response: Any = await AsyncClient().get("/async-stream/")
    return response, b"".join([part async for part in response.streaming_content]).decode()


@pytest.mark.urls(__name__)
def test_what_is_streamed_by_the_web_process_has_it_as_well(log: StringIO) -> None:
    response, told = asyncio.run(_streamed())
    assert told == response["X-Request-ID"]
    assert f"[{told}]: a part" in log.getvalue()


@pytest.mark.urls(__name__)
def test_a_line_outside_of_a_request_has_none(log: StringIO) -> None:
    Client().get("/page/")
    logger.warning("of a command")
    assert f"WARNING {__name__}: of a command" in log.getvalue()


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_a_failure_is_in_the_log_with_the_id_that_its_answer_tells(log: StringIO) -> None:
    response = Client(raise_request_exception=False).get("/api/failing/")
    request_id = response["X-Request-ID"]
    (error,) = response.json()["errors"]
    assert response.status_code == 500
    assert error["detail"].endswith(f"with the id of this request: {request_id}")
    assert "What no answer may tell" not in response.content.decode()
    assert f"ERROR django.request [{request_id}]: " in log.getvalue()
    assert "RuntimeError: What no answer may tell." in log.getvalue()


@pytest.mark.urls(__name__)
def test_a_page_that_fails_has_it_as_well(log: StringIO) -> None:
    response = Client(raise_request_exception=False).get("/failing/")
    assert response.status_code == 500
    assert f"ERROR django.request [{response['X-Request-ID']}]: Internal Server Error" in log.getvalue()


@pytest.mark.django_db
def test_what_the_middlewares_answer_has_it_as_well(log: StringIO) -> None:
    for response in (Client().get("/nothing/"), Client().get("/", headers={"Host": "elsewhere.example.com"})):
        assert response.status_code in (400, 404)
        assert f"[{response['X-Request-ID']}]: " in log.getvalue()


@pytest.mark.django_db
def test_slow_statements_are_logged_with_it(admin_client: Client, log: StringIO, settings: Any) -> None:
    settings.SLOW_QUERY_SECONDS = 0  # every statement
    response = admin_client.get("/api/tokens/")
    assert f"convgen.database.slow_queries [{response['X-Request-ID']}]: 0.00 s, GET api/tokens/" in log.getvalue()
