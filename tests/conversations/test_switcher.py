"""The choice of a workspace in the header of the admin."""

import pytest
from django.test import Client

from conversations.models import Conversation, Workspace
from convgen.models import User
from tests.admin_pages import browser_of, list_of, page_of, said
from tests.factories import ConversationFactory, MembershipFactory, UserFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

SWITCHER = 'id="workspace-switcher"'


@pytest.fixture
def alpha() -> Workspace:
    return WorkspaceFactory(name="Alpha", slug="alpha")


@pytest.fixture
def user(alpha: Workspace) -> User:
    return MembershipFactory(workspace=alpha, user__is_staff=True).user


@pytest.fixture
def beta(user: User) -> Workspace:
    """A second workspace of the user."""
    return MembershipFactory(workspace=WorkspaceFactory(name="Beta", slug="beta"), user=user).workspace


def shown(client: Client) -> str:
    return str(client.get("/admin/").content.decode())


def switched(client: Client, slug: str, page: str = "/admin/") -> str:
    """Where choosing a workspace leads to."""
    response = client.post("/workspace/choose/", {"workspace": slug, "next": page})
    assert response.status_code == 302
    return str(response.url)


def test_who_has_one_workspace_sees_no_choice(user: User) -> None:
    WorkspaceFactory()
    assert SWITCHER not in shown(browser_of(user))


def test_who_has_several_chooses_and_stays_there(user: User, beta: Workspace) -> None:
    client = browser_of(user)
    assert '<option value="alpha" selected>Alpha</option>' in shown(client)
    assert switched(client, "beta") == "/admin/"
    assert '<option value="beta" selected>Beta</option>' in shown(client)
    assert "All workspaces" not in shown(client)


def test_a_superuser_has_all_workspaces_to_choose_too(alpha: Workspace) -> None:
    client = browser_of(UserFactory(is_staff=True, is_superuser=True))
    assert SWITCHER not in shown(client)
    WorkspaceFactory()
    assert "All workspaces" in shown(client)
    switched(client, "*")
    assert '<option value="*" selected>All workspaces</option>' in shown(client)


@pytest.mark.parametrize("slug", ["gamma", "hidden", "*"])
def test_what_is_not_ones_own_cannot_be_chosen(user: User, beta: Workspace, slug: str) -> None:
    WorkspaceFactory(slug="hidden")
    client = browser_of(user)
    response = client.post("/workspace/choose/", {"workspace": slug})
    assert said(response) == [f"You have no workspace “{slug}”. Yours: alpha, beta."]
    assert '<option value="alpha" selected>' in shown(client)


def test_one_returns_to_the_list_one_came_from(user: User, beta: Workspace) -> None:
    assert switched(browser_of(user), "beta", list_of(Conversation)) == list_of(Conversation)


def test_one_does_not_return_to_a_row_which_the_other_workspace_does_not_have(user: User, beta: Workspace) -> None:
    row = ConversationFactory(workspace__slug="third")
    for page in ("change", "history"):
        assert switched(browser_of(user), "beta", page_of(row, page)) == "/admin/"


@pytest.mark.parametrize("page", ["https://elsewhere.example/admin/", "//elsewhere.example", "/no/such/page/", ""])
def test_one_is_never_sent_elsewhere(user: User, beta: Workspace, page: str) -> None:
    assert switched(browser_of(user), "beta", page) == "/admin/"


def test_a_choice_is_posted(user: User, beta: Workspace) -> None:
    assert browser_of(user).get("/workspace/choose/?workspace=beta").status_code == 405


def test_a_choice_from_another_site_is_refused(user: User, beta: Workspace) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(user)
    assert careful.post("/workspace/choose/", {"workspace": "beta"}).status_code == 403


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    assert client.post("/workspace/choose/", {"workspace": "alpha"}).url == "/admin/login/"


def test_the_choice_needs_no_script_and_no_inline_style(user: User, beta: Workspace) -> None:
    page = shown(browser_of(user))
    form = page[page.index(SWITCHER) : page.index("</form>", page.index(SWITCHER))]
    assert '<button type="submit">' in form
    assert not any(inline in form for inline in ("style=", "onchange", "<script"))
