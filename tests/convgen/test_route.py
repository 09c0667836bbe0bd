"""On whose behalf a statement runs."""

import asyncio
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from convgen.models import User
from convgen.process_name import process_name
from convgen.route import current_route, route


def _sync_page(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(current_route())


async def _async_page(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(current_route())


urlpatterns = [path("sync/<name>/", _sync_page), path("async/<name>/", _async_page)]


def test_a_block_is_named_and_the_inner_one_holds() -> None:
    with route("batch 1"):
        with route("export"):
            assert current_route() == "export"
        assert current_route() == "batch 1"


def test_without_a_name_it_is_the_process() -> None:
    assert current_route() == process_name()


def test_a_name_that_came_to_nothing_is_taken_back() -> None:
    with pytest.raises(KeyError), route("batch 1"):
        raise KeyError
    assert current_route() == process_name()


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("page", ["sync", "async"])
def test_a_page_has_the_route_of_its_address_without_what_stands_in_it(page: str) -> None:
    expected = f"GET {page}/<name>/"
    assert Client().get(f"/{page}/a secret/").content.decode() == expected
    response: Any = asyncio.run(AsyncClient().get(f"/{page}/a secret/"))
    assert response.content.decode() == expected


@pytest.mark.django_db
def test_a_page_s_slow_queries_are_found_by_its_route(
    admin_client: Client, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.SLOW_QUERY_SECONDS = 0  # every statement
    admin_client.get("/admin/convgen/user/")
    lines = [line for line in caplog.messages if f'FROM "{User._meta.db_table}"' in line]
    assert lines
    assert {line.partition(" s, ")[2].partition(":")[0] for line in lines} <= {
        "GET admin/convgen/user/",
        "GET (before its view)",
    }
    assert any("GET admin/convgen/user/:" in line for line in lines)
