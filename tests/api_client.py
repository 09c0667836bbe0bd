"""A member of a workspace who speaks to the REST API, by her token."""

from typing import Any

from knox.models import AuthToken
from rest_framework.test import APIClient

from conversations.choices import Role
from conversations.models import Workspace
from tests import api_schema
from tests.factories import MembershipFactory, UserFactory


class Api(APIClient):
    """Paths are relative to `/api/`; bodies are JSON. Whatever is answered has to be as the schema tells."""

    def generic(self, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        full = path if path.startswith(("/", "http")) else f"/api/{path}"
        response = super().generic(method, full, *arguments, **options)
        api_schema.check(method, response)
        return response


def api_of(user: Any, *, workspace: Workspace | None = None) -> Api:
    """The client of a user, who asks for a workspace by the header or leaves it out."""
    client = Api(raise_request_exception=False)
    _row, token = AuthToken.objects.create(user)
    headers = {"Authorization": f"Bearer {token}", **({"X-Workspace": workspace.slug} if workspace else {})}
    client.credentials(**{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})
    return client


def api_as(role: Role | str, workspace: Workspace) -> Api:
    """The client of a new member of the workspace with this role."""
    membership = MembershipFactory(workspace=workspace, user=UserFactory(), role=role)
    return api_of(membership.user, workspace=workspace)


def problems(response: Any, status: int) -> dict[str | None, str]:
    """What an error says: code by attribute. Fails unless it has the status and the one shape of errors."""
    body = response.json()
    assert response.status_code == status, (response.status_code, body)
    assert set(body) == {"type", "errors"}
    assert all(set(each) == {"code", "detail", "attr"} and each["detail"] for each in body["errors"])
    return {each["attr"]: each["code"] for each in body["errors"]}


def told(response: Any) -> str:
    """What an error says in words."""
    return " ".join(each["detail"] for each in response.json()["errors"])
