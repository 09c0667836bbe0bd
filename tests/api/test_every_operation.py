"""What every operation refuses, whatever it does. They are taken from the schema, so that none is forgotten."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group as Role

from conversations.models import Workspace
from tests import api_schema
from tests.api_client import Api, api_of, problems, told
from tests.factories import UserFactory

OUTSIDE = {"schema"}  # first parts of paths that are open to everybody
PERSONAL = {"tokens", "workspaces"}  # that belong to a person, and to no workspace


def _operations(*, without: set[str]) -> list[Any]:
    return [
        pytest.param(method, path, id=operation["operationId"])
        for path, methods in api_schema.schema()["paths"].items()
        for method, operation in methods.items()
        if path.split("/")[2] not in OUTSIDE | without
    ]


def _asked(client: Api, method: str, path: str) -> Any:
    """The operation about something that is not there, with an empty body."""
    full = re.sub(r"{[^}]*}", str(uuid4()), path)
    return getattr(client, method)(full, {} if method in ("post", "patch") else None)


every = pytest.mark.parametrize(("method", "path"), _operations(without=set()))
every_in_a_workspace = pytest.mark.parametrize(("method", "path"), _operations(without=PERSONAL))


@every
def test_without_a_token_it_is_refused(db: None, method: str, path: str) -> None:
    refused = _asked(Api(), method, path)
    assert problems(refused, 401) == {None: "not_authenticated"}
    assert refused["WWW-Authenticate"] == "Bearer"


def test_no_cache_keeps_an_answer_for_others(curator: Api) -> None:
    """What says nothing of it may be kept by a proxy, and be told to whoever works in another workspace."""
    for answer in (curator.get("dimensions/"), curator.get("tokens/"), curator.get(f"dimensions/{uuid4()}/")):
        assert answer["Cache-Control"] == "private, no-cache"


@every
def test_a_wrong_token_is_refused(db: None, method: str, path: str) -> None:
    client = Api()
    client.credentials(HTTP_AUTHORIZATION="Bearer convgen_0123456789abcdef")
    assert problems(_asked(client, method, path), 401) == {None: "authentication_failed"}


@every_in_a_workspace
def test_a_workspace_that_is_not_ones_own_is_not_found(
    curator: Api, elsewhere: Workspace, method: str, path: str
) -> None:
    curator.credentials(**{**curator._credentials, "HTTP_X_WORKSPACE": elsewhere.slug})
    refused = _asked(curator, method, path)
    assert problems(refused, 404) == {None: "not_found"}
    assert f"You have no workspace “{elsewhere.slug}”" in told(refused)


@every_in_a_workspace
def test_a_member_of_no_workspace_may_do_nothing(db: None, method: str, path: str) -> None:
    assert problems(_asked(api_of(UserFactory()), method, path), 403) == {None: "permission_denied"}


@every_in_a_workspace
def test_a_role_without_permissions_may_do_nothing(lead: Api, method: str, path: str) -> None:
    Role.objects.get(name="lead").permissions.clear()
    refused = _asked(lead, method, path)
    assert problems(refused, 403) == {None: "permission_denied"}
    assert "does not have the permission" in told(refused)


@every
def test_too_many_requests_are_refused_until_a_minute_has_drained(
    lead: Api, settings: Any, method: str, path: str
) -> None:
    for group in ("READS", "POLLS", "WRITES", "GENERATIONS"):
        setattr(settings, f"API_{group}_PER_MINUTE", 1)
    first, second = _asked(lead, method, path), _asked(lead, method, path)
    assert (first.status_code != 429, first["RateLimit-Limit"], first["RateLimit-Remaining"]) == (True, "1", "0")
    assert problems(second, 429) == {None: "throttled"}
    assert 1 <= int(second["Retry-After"]) <= 60


def test_every_operation_is_described_and_shown_by_examples() -> None:
    missing = [
        f"{operation['operationId']}: {what}"
        for operation in api_schema.operations().values()
        if not operation["operationId"].startswith("schema")
        for what in _lacking(operation)
    ]
    assert missing == []


def _lacking(operation: dict[str, Any]) -> Iterator[str]:
    if not operation.get("summary"):
        yield "no summary"
    if not operation.get("tags"):
        yield "no tag"
    body = operation.get("requestBody", {}).get("content", {})
    if body and not any(part.get("examples") for part in body.values()):
        yield "no example of a request"
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if content and not any(part.get("examples") for part in content.values()):
            yield f"no example of a {status}"
        if not response.get("description") and status >= "300":
            yield f"no description of a {status}"
