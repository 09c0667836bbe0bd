"""Pages of other sites that may use the API, by a token."""

from typing import Any

import pytest
from django.test import Client

from tests.api_client import Api

TOOLS = "https://tools.example.com"


@pytest.fixture(autouse=True)
def _tools_allowed(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [TOOLS]


def _ask(origin: str, address: str = "/api/dimensions/", method: str = "PATCH") -> Any:
    return Client().options(
        address,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type,x-workspace,if-match,idempotency-key",
        },
    )


def _cors(response: Any) -> set[str]:
    return {name for name in response.headers if name.lower().startswith("access-control-")}


def test_a_browser_that_asks_first_is_told_what_the_page_may_send() -> None:
    answer = _ask(TOOLS)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == TOOLS
    assert "PATCH" in answer["Access-Control-Allow-Methods"]
    allowed = set(answer["Access-Control-Allow-Headers"].split(", "))
    assert {"authorization", "content-type", "x-workspace", "if-match", "if-none-match", "prefer"} <= allowed
    assert {"idempotency-key", "x-request-id"} <= allowed
    assert int(answer["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Credentials" not in answer
    assert answer["X-Request-ID"]


def test_an_answer_can_be_read_with_its_headers(curator: Api) -> None:
    answer = curator.get("dimensions/", headers={"Origin": TOOLS})
    assert answer["Access-Control-Allow-Origin"] == TOOLS
    exposed = set(answer["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Location", "Retry-After", "RateLimit-Remaining", "X-Request-ID", "Idempotent-Replayed"} <= exposed
    assert "origin" in answer["Vary"].lower()
    assert "Access-Control-Allow-Credentials" not in answer


def test_an_error_can_be_read_as_well(db: None) -> None:
    for address in ("dimensions/", "nothing/"):
        assert Api().get(address, headers={"Origin": TOOLS})["Access-Control-Allow-Origin"] == TOOLS


@pytest.mark.parametrize(
    "origin", ["https://elsewhere.example.com", "http://tools.example.com", f"{TOOLS}:8443", "null"]
)
def test_another_site_is_told_nothing(curator: Api, origin: str) -> None:
    assert _cors(_ask(origin)) == set()
    assert _cors(curator.get("dimensions/", headers={"Origin": origin})) == set()


def test_the_pages_of_the_site_are_nobody_else_s(admin_client: Client) -> None:
    assert _cors(_ask(TOOLS, "/admin/")) == set()
    assert _cors(admin_client.get("/admin/", headers={"Origin": TOOLS})) == set()


def test_nobody_is_allowed_unless_it_is_set(settings: Any, curator: Api) -> None:
    settings.CORS_ALLOWED_ORIGINS = []
    assert _cors(_ask(TOOLS)) == set()
    assert _cors(curator.get("dimensions/", headers={"Origin": TOOLS})) == set()
