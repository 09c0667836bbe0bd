"""Which workspace a request works in, and that nothing of it is left behind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from conversations.models import Dimension, Membership, Workspace
from convgen.models import User
from convgen.tenancy import EVERY, NOTHING, current_scope, workspace_scope
from tests.admin_pages import browser_of, listed, outsider, page_of
from tests.factories import DimensionFactory, MembershipFactory, UserFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alpha() -> Workspace:
    return WorkspaceFactory(name="Alpha", slug="alpha")


@pytest.fixture
def beta(alpha: Workspace) -> Workspace:
    return WorkspaceFactory(name="Beta", slug="beta")


@pytest.fixture
def both(alpha: Workspace, beta: Workspace) -> User:
    """A member of both workspaces."""
    user = MembershipFactory(workspace=beta, user__is_staff=True).user
    MembershipFactory(workspace=alpha, user=user)
    return user


@pytest.fixture
def superuser(alpha: Workspace, beta: Workspace) -> User:
    return UserFactory(is_staff=True, is_superuser=True)


def works_in(client: Client) -> Any:
    """The scope of the pages that a browser is shown."""
    return client.get("/admin/").wsgi_request.workspaces.scope  # type: ignore[attr-defined]


# --- The choice


def test_without_a_choice_it_is_the_default_workspace(both: User, alpha: Workspace, beta: Workspace) -> None:
    assert works_in(browser_of(both)) == alpha.pk
    Workspace.objects.filter(pk=beta.pk).update(is_default=True)
    assert works_in(browser_of(both)) == beta.pk


def test_the_default_workspace_is_only_for_its_members(alpha: Workspace, beta: Workspace) -> None:
    Workspace.objects.filter(pk=alpha.pk).update(is_default=True)
    user = UserFactory()
    MembershipFactory(workspace=beta, user=user)
    assert works_in(browser_of(user)) == beta.pk


def test_a_superuser_works_in_the_default_workspace_and_else_in_the_first(
    superuser: User, alpha: Workspace, beta: Workspace
) -> None:
    assert works_in(browser_of(superuser)) == alpha.pk
    Workspace.objects.filter(pk=beta.pk).update(is_default=True)
    assert works_in(browser_of(superuser)) == beta.pk


def test_a_stranger_and_staff_without_a_workspace_work_in_none(alpha: Workspace, client: Client) -> None:
    assert works_in(client) is NOTHING
    assert works_in(outsider()) is NOTHING


def test_the_header_goes_before_the_choice_of_the_session(both: User, alpha: Workspace, beta: Workspace) -> None:
    client = browser_of(both)
    client.post("/workspace/choose/", {"workspace": "beta"})
    assert works_in(client) == beta.pk
    assert client.get("/admin/", headers={"X-Workspace": "alpha"}).wsgi_request.workspaces.current == alpha
    assert works_in(client) == beta.pk


def test_a_workspace_that_is_not_ones_own_is_refused_like_one_that_does_not_exist(
    alpha: Workspace, beta: Workspace
) -> None:
    user = MembershipFactory(workspace=alpha, user__is_staff=True).user
    for slug in ("beta", "gamma", "*"):
        refused = browser_of(user, **{"X-Workspace": slug}).get("/admin/")
        assert refused.status_code == 404
        assert refused.content.decode() == f"You have no workspace “{slug}”. Yours: alpha.\n"


def test_a_superuser_asks_for_one_workspace_or_for_all(superuser: User, beta: Workspace) -> None:
    assert works_in(browser_of(superuser, **{"X-Workspace": "beta"})) == beta.pk
    assert works_in(browser_of(superuser, **{"X-Workspace": "*"})) is EVERY
    assert browser_of(superuser, **{"X-Workspace": "gamma"}).get("/admin/").status_code == 404


def test_where_there_is_one_workspace_all_is_that_one(alpha: Workspace, admin_client: Client) -> None:
    assert works_in(admin_client) == alpha.pk


def test_a_choice_that_is_no_longer_ones_own_is_forgotten(both: User, alpha: Workspace, beta: Workspace) -> None:
    client = browser_of(both)
    client.post("/workspace/choose/", {"workspace": "beta"})
    Membership.objects.filter(user=both, workspace=beta).delete()
    assert works_in(client) == alpha.pk


def test_a_superuser_who_is_one_no_longer_does_not_see_all(superuser: User, alpha: Workspace) -> None:
    client = browser_of(superuser)
    client.post("/workspace/choose/", {"workspace": "*"})
    assert works_in(client) is EVERY
    User.objects.update(is_superuser=False)
    assert works_in(client) is NOTHING


def test_the_search_for_the_workspace_takes_one_query(both: User) -> None:
    client = browser_of(both)
    with CaptureQueriesContext(connection) as captured:
        client.get("/workspace/choose/")  # refused, because nothing is posted
    assert len([query for query in captured if "conversations_workspace" in query["sql"]]) == 1


# --- What is left behind


@pytest.mark.django_db(transaction=True)
def test_people_of_two_workspaces_who_take_turns_on_one_connection_never_see_each_others_rows() -> None:
    own = {}
    for workspace in (WorkspaceFactory(), WorkspaceFactory()):
        user = MembershipFactory(workspace=workspace, user__is_staff=True).user
        own[user] = DimensionFactory(workspace=workspace)
    with workspace_scope(NOTHING):
        clients = [(browser_of(user), row) for user, row in own.items()]
        server_processes = set()
        for _round in range(3):
            for (client, row), (_other, foreign) in (clients, clients[::-1]):
                assert listed(client, Dimension) == {row.pk}
                assert client.get(page_of(row)).status_code == 200
                assert client.get(page_of(foreign)).status_code == 302
                assert current_scope() is NOTHING
                assert not Dimension.objects.exists()
                server_processes.add(_server_process())
    assert len(server_processes) == 1


def _server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_page_that_fails_leaves_no_scope(both: User, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    client = browser_of(both)
    client.raise_request_exception = False
    with workspace_scope(NOTHING):
        assert client.get("/failing/").status_code == 500
        assert current_scope() is NOTHING


# --- Streams


def _names() -> Iterator[str]:
    for pk in list(Dimension.objects.order_by("name").values_list("pk", flat=True)):
        yield f"{Dimension.objects.get(pk=pk).name}\n"


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_names())


async def _scopes() -> AsyncIterator[str]:
    for _part in range(2):
        await asyncio.sleep(0)
        yield f"{current_scope()}\n"


def streamed_later(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_scopes())


def failing(request: HttpRequest) -> StreamingHttpResponse:
    raise ValueError


urlpatterns = [
    path("streamed/", streamed),
    path("streamed-later/", streamed_later),
    path("failing/", failing),
    path("", include("convgen.urls")),
]


@pytest.mark.django_db(transaction=True)
def test_a_stream_keeps_the_scope_to_its_end_and_lends_it_to_nobody(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    rows = DimensionFactory(name="Nurse"), DimensionFactory(name="Teacher")
    users = [MembershipFactory(workspace=row.workspace).user for row in rows]
    with workspace_scope(NOTHING):
        streams = [iter(browser_of(user).get("/streamed/")) for user in users]
        assert [next(stream) for stream in streams] == [b"Nurse\n", b"Teacher\n"]
        assert current_scope() is NOTHING
        assert not Dimension.objects.exists()
        assert [list(stream) for stream in streams] == [[], []]


def test_an_asynchronous_stream_keeps_the_scope_too(settings: Any, both: User, alpha: Workspace) -> None:
    settings.ROOT_URLCONF = __name__
    response = browser_of(both).get("/streamed-later/")

    async def read() -> list[bytes]:
        with workspace_scope(NOTHING):
            return [part async for part in response]

    assert asyncio.run(read()) == [f"{alpha.pk}\n".encode()] * 2
