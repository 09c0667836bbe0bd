"""Pages: every row once, whichever way they are read, while rows come and go."""

from typing import Any

import pytest

from conversations.models import Dimension, Workspace
from tests.api_client import Api, problems
from tests.factories import DimensionFactory


@pytest.fixture
def names(workspace: Workspace) -> list[str]:
    """Of 23 dimensions, most of which share their position."""
    made = [DimensionFactory(workspace=workspace, position=number // 10) for number in range(23)]
    return [each.name for each in sorted(made, key=lambda each: (each.position, each.name, each.pk))]


def _read(client: Api, path: str | None, way: str = "next", **query: Any) -> list[list[str]]:
    pages = []
    while path:
        body = client.get(path, query).json()
        pages.append([each["name"] for each in body["results"]])
        path, query = body[way], {}
    return pages


@pytest.mark.parametrize("size", [1, 5, 22, 23, 24])
def test_every_row_comes_once_and_in_order(curator: Api, names: list[str], size: int) -> None:
    pages = _read(curator, "dimensions/", page_size=size)
    assert [name for page in pages for name in page] == names
    assert {len(page) for page in pages[:-1]} <= {size}
    backwards = _read(curator, "dimensions/", ordering="-position", page_size=size)
    assert [name for page in backwards for name in page] == names[::-1]


def test_pages_are_read_backwards_too(curator: Api, names: list[str]) -> None:
    body = curator.get("dimensions/", {"page_size": 5}).json()
    assert body["previous"] is None
    while body["next"]:
        last, body = body, curator.get(body["next"]).json()
    assert [each["name"] for each in curator.get(body["previous"]).json()["results"]] == [
        each["name"] for each in last["results"]
    ]
    pages = _read(curator, body["previous"], "previous")
    assert [name for page in reversed(pages) for name in page] == names[:20]


def test_a_row_that_comes_meanwhile_moves_no_other(curator: Api, workspace: Workspace, names: list[str]) -> None:
    first = curator.get("dimensions/", {"page_size": 10}).json()
    DimensionFactory(workspace=workspace, position=0, name="A new one")
    Dimension.objects.filter(name=names[3]).delete()
    second = curator.get(first["next"]).json()
    assert [each["name"] for each in second["results"]] == names[10:20]


def test_a_cursor_belongs_to_its_order(curator: Api, names: list[str]) -> None:
    following = curator.get("dimensions/", {"page_size": 5}).json()["next"]
    assert problems(curator.get(f"{following}&ordering=name"), 400) == {"cursor": "invalid"}


def test_an_empty_cursor_is_the_first_page(curator: Api, names: list[str]) -> None:
    assert curator.get("dimensions/", {"cursor": ""}).json()["results"] == curator.get("dimensions/").json()["results"]
