"""Errors have one shape, wherever they come from."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import override_settings
from django.urls import include, path
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from convgen.api.errors import Unavailable
from generation.errors import ProgramFailed
from generation.simulated.launcher import SimulatedClaudeError
from tests.api_client import Api, problems, told


class Failing(APIView):
    """Raises what the test asks for."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    schema = None
    error: Exception = RuntimeError("secret: 4711")

    def get(self, request: Any) -> Response:
        raise self.error


urlpatterns = [path("api/failing/", Failing.as_view()), path("", include("convgen.urls"))]


@pytest.fixture
def failing(db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    def fail(error: Exception) -> Any:
        monkeypatch.setattr(Failing, "error", error)
        with override_settings(ROOT_URLCONF=__name__):
            return Api(raise_request_exception=False).get("failing/")

    return fail


@pytest.mark.parametrize("debug", [True, False])
def test_an_error_of_ours_says_no_more_than_that(failing: Any, settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    response = failing(RuntimeError("secret: 4711"))
    assert problems(response, 500) == {None: "error"}
    assert b"4711" not in response.content and b"Traceback" not in response.content


def test_an_error_of_ours_in_generation_is_found_in_the_log_by_the_same_id(failing: Any) -> None:
    response = failing(ProgramFailed())
    assert problems(response, 500) == {None: "program_failed"}
    assert told(response).endswith(f"with the id of this request: {response['X-Request-ID']}")


def test_a_wait_is_rounded_up_to_whole_seconds(failing: Any) -> None:
    assert failing(Unavailable(wait=0.4))["Retry-After"] == "1"


def test_where_a_log_lies_on_the_server_is_not_told(failing: Any) -> None:
    response = failing(SimulatedClaudeError("Simulated Claude did not start; see /srv/convgen/var/claude.log."))
    assert problems(response, 503) == {None: "simulated_claude"}
    assert "/srv" not in told(response)


def test_without_the_database_it_is_to_be_tried_again(failing: Any) -> None:
    response = failing(OperationalError("connection refused at 10.0.0.1"))
    assert problems(response, 503) == {None: "unavailable"}
    assert response["Retry-After"] == "5"
    assert "10.0.0.1" not in told(response)


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete", "put"])
def test_an_address_that_leads_nowhere_is_told_in_json(curator: Api, method: str) -> None:
    assert problems(getattr(curator, method)("conversation/"), 404) == {None: "not_found"}


def test_what_was_sent_is_told_again_even_if_no_text_could_be_sent_so(curator: Api) -> None:
    body = '{"kind": "\\ud800", "name": "Anna"}'
    refused = curator.post("dimensions/", body, content_type="application/json")
    assert problems(refused, 400) == {"kind": "invalid_choice"}
    assert "�" in told(refused)


def test_an_address_with_a_line_break_is_no_other_case(curator: Api) -> None:
    assert problems(curator.get("conversations/TPL%0A0001/"), 404) == {None: "not_found"}


def test_an_address_without_its_slash_is_told_how_it_is_written(curator: Api) -> None:
    refused = curator.post("batches", {})
    assert problems(refused, 404) == {None: "not_found"}
    assert "Addresses end in a slash: /api/batches/" in told(refused)


def test_a_method_that_is_not_there(curator: Api) -> None:
    refused = curator.put("batches/", {})
    assert problems(refused, 405) == {None: "method_not_allowed"}
    assert refused["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_format_that_is_not_there(curator: Api) -> None:
    assert problems(curator.get("batches/", headers={"Accept": "application/xml"}), 406) == {None: "not_acceptable"}


@pytest.mark.parametrize("body", ["{", "", "[1,]", '{"tier": NaN}', "\x00", '"\ud800"'])
def test_a_body_that_is_not_json(curator: Api, body: str) -> None:
    text = body.encode("utf-8", "surrogatepass")
    refused = curator.generic("POST", "batches/", text, content_type="application/json")
    assert refused.status_code in (400, 409)  # an empty body is an empty order
    assert None in problems(refused, refused.status_code)


def test_a_body_of_another_kind(curator: Api) -> None:
    refused = curator.generic("POST", "batches/", b"<order/>", content_type="application/xml")
    assert problems(refused, 415) == {None: "unsupported_media_type"}


def test_a_body_that_is_too_large(curator: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    refused = curator.post("batches/", {"name": "x" * 200})
    assert problems(refused, 413) == {None: "too_large"}
    assert "100 bytes" in told(refused)


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"cursor": "bm8="}, {"page_size": "0"}, {"page_size": "1000"}])
def test_pages_that_there_cannot_be(curator: Api, query: dict[str, str]) -> None:
    [name] = query
    assert problems(curator.get("dimensions/", query), 400) == {name: "invalid"}


def test_an_order_that_is_not_offered_says_which_are(curator: Api) -> None:
    refused = curator.get("dimensions/", {"ordering": "colour"})
    assert problems(refused, 400) == {"ordering": "invalid"}
    assert "position, -position, name, -name" in told(refused)


def test_somebody_with_a_token_reads_the_schema_too(curator: Api) -> None:
    assert curator.get("schema/").status_code == 200
