"""Requests are counted by person and group of operations; without a person, by address."""

from typing import Any

import pytest

from conversations.choices import Role
from conversations.models import Workspace
from convgen.api.throttling import network_of
from tests.api_client import Api, api_as, api_of, problems, told
from tests.factories import UserFactory

NEW = {"kind": "persona", "name": "Anxious planner", "description": "Plans, and worries."}
SECRET = "convgen_" + "0" * 64


def _limits(response: Any) -> list[int]:
    return [int(response[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]


def test_every_answer_tells_what_is_left(curator: Api, settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 60
    assert _limits(curator.get("dimensions/")) == [60, 59, 1]
    assert _limits(curator.get("dimensions/0198f4c2-6b1e-7d3a-9c45-2f0e8a71b6d3/")) == [60, 58, 2]


def test_who_has_used_up_the_minute_is_told_when_to_come_again(curator: Api, settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 2
    assert [curator.get("dimensions/").status_code for _ in range(2)] == [200, 200]
    refused = curator.get("dimensions/")
    assert problems(refused, 429) == {None: "throttled"}
    seconds = int(refused["Retry-After"])  # half a minute, less what the test itself took
    assert 15 <= seconds <= 30 and f"{seconds} seconds" in told(refused)
    limit, left, reset = _limits(refused)
    assert (limit, left) == (2, 0) and 30 + seconds - 1 <= reset <= 30 + seconds + 1


def test_writing_is_counted_apart_from_reading(curator: Api, settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 1
    settings.API_WRITES_PER_MINUTE = 1
    assert curator.get("dimensions/").status_code == 200
    assert curator.post("dimensions/", NEW).status_code == 201
    assert curator.get("dimensions/").status_code == 429
    assert curator.post("dimensions/", {**NEW, "name": "Another"}).status_code == 429


def test_each_person_has_her_own_minute_with_all_her_tokens(workspace: Workspace, settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 1
    first, other = api_as(Role.CURATOR, workspace), api_as(Role.CURATOR, workspace)
    assert first.get("dimensions/").status_code == 200
    assert other.get("dimensions/").status_code == 200
    assert other.get("dimensions/").status_code == 429
    assert other.get("tokens/").status_code == 429  # the same group


def test_superusers_are_counted_as_everybody(workspace: Workspace, settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 1
    superuser = api_of(UserFactory(is_superuser=True), workspace=workspace)
    assert [superuser.get("dimensions/").status_code for _ in range(2)] == [200, 429]


def test_zero_is_any_number(curator: Api, settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 0
    response = curator.get("dimensions/")
    assert response.status_code == 200
    assert "RateLimit-Limit" not in response


@pytest.mark.django_db
@pytest.mark.parametrize("credentials", [{}, {"Authorization": f"Bearer {SECRET}"}], ids=["none", "a wrong token"])
def test_who_is_nobody_is_counted_by_address(credentials: dict[str, str], settings: Any) -> None:
    settings.API_ANONYMOUS_PER_MINUTE = 2
    answers = [Api().get("dimensions/", headers=credentials) for _ in range(3)]
    assert [response.status_code for response in answers] == [401, 401, 429]
    assert _limits(answers[0]) == [2, 1, 30]
    elsewhere = Api().get("dimensions/", headers=credentials, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 401


def test_an_address_that_is_used_up_keeps_nobody_out_who_is_signed_in(curator: Api, settings: Any) -> None:
    settings.API_ANONYMOUS_PER_MINUTE = 1
    assert [Api().get("dimensions/").status_code for _ in range(2)] == [401, 429]
    assert curator.get("dimensions/").status_code == 200


@pytest.mark.django_db
def test_an_address_that_the_client_writes_itself_means_nothing(settings: Any) -> None:
    settings.API_ANONYMOUS_PER_MINUTE = 1
    answers = [
        Api().get("dimensions/", headers={"X-Forwarded-For": f"192.0.2.{number}, {'9' * 500}"}) for number in range(2)
    ]
    assert [response.status_code for response in answers] == [401, 429]


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("whatever a proxy passes on", "unknown"),
    ],
)
def test_who_has_one_address_of_ipv6_has_its_whole_network(address: str, counted_as: str) -> None:
    assert network_of(address) == counted_as


def test_the_schema_can_be_read_by_whoever_is_signed_in(curator: Api) -> None:
    assert curator.get("schema/").status_code == 200
