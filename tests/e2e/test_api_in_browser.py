"""The API's pages in a real browser: nothing is refused by their policy, and nothing comes from elsewhere."""

from typing import Any

import pytest
from knox.models import AuthToken
from playwright.sync_api import Page, expect

from conversations.models import Dimension, Workspace
from convgen.models import User
from tests.browser import Trouble, fits, needs_chromium, sign_in
from tests.factories import DimensionFactory, UserFactory, WorkspaceFactory

LONG = 30_000  # milliseconds: ReDoc reads and indexes the whole schema before it shows anything

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return WorkspaceFactory(is_default=True)


def test_an_engineer_tries_an_operation_out_with_her_token(page: Page, live_server: Any, workspace: Workspace) -> None:
    dimension = DimensionFactory(workspace=workspace)
    _row, token = AuthToken.objects.create(UserFactory(is_superuser=True))
    page.goto(f"{live_server.url}/api/docs/")
    page.get_by_role("button", name="Authorize").click()
    bearer = page.locator(".auth-container", has_text="Bearer")
    bearer.get_by_role("textbox").fill(token)
    bearer.get_by_role("button", name="Apply credentials").click()
    bearer.get_by_role("button", name="Close").click()
    operation = page.locator("#operations-Dimensions-dimensions_list")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(operation.locator(".live-responses-table")).to_contain_text(str(dimension.pk))


def test_the_reference_is_read_and_searched(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/api/redoc/")
    expect(page.get_by_role("heading", name="tag/Dimensions Dimensions")).to_be_visible(timeout=LONG)
    page.get_by_placeholder("Search").fill("dimensions")
    expect(page.locator('[role=search] [data-role="search:results"]')).to_contain_text("imension", timeout=LONG)


def test_a_person_sends_json_by_the_page(
    page: Page, live_server: Any, workspace: Workspace, superuser: User, trouble: Trouble
) -> None:
    sign_in(page, superuser)
    page.goto(f"{live_server.url}/admin/")
    page.locator("#account > summary").click()
    page.get_by_role("link", name="API", exact=True).click()
    page.get_by_role("link", name="/api/dimensions/").click()
    expect(page.get_by_text(f"Workspace {workspace.name}")).to_be_visible()
    body = page.get_by_label("Body (JSON)")
    body.fill('{"kind": "mood", "name": "Calm"}')
    page.get_by_role("button", name="Send POST").click()
    expect(page.locator(".api-status")).to_contain_text("400")
    assert "400" in trouble.errors.pop()  # the browser's own note of the answer
    expect(body).to_have_value('{"kind": "mood", "name": "Calm"}')
    body.fill('{"kind": "emotion", "name": "Calm"}')
    page.get_by_role("button", name="Send POST").click()
    expect(page.locator(".api-status")).to_contain_text("201")
    assert Dimension.objects.get().workspace == workspace


def test_a_row_is_changed_and_deleted_by_its_page(
    page: Page, live_server: Any, workspace: Workspace, superuser: User
) -> None:
    dimension = DimensionFactory(workspace=workspace, name="Calm")
    sign_in(page, superuser)
    page.goto(f"{live_server.url}/api/dimensions/{dimension.pk}/")
    body = page.get_by_label("Body (JSON)")
    body.fill(body.input_value().replace("Calm", "Serene"))
    page.get_by_role("button", name="Send PATCH").click()
    expect(page.locator("pre.json")).to_contain_text("Serene")
    page.get_by_label("I am sure.").check()
    page.get_by_role("button", name="Send DELETE").click()
    expect(page.locator(".api-status")).to_contain_text("204")
    assert not Dimension.objects.exists()


@pytest.mark.parametrize("width", [1280, 768])
def test_the_pages_fit(open_page: Any, live_server: Any, workspace: Workspace, superuser: User, width: int) -> None:
    DimensionFactory(workspace=workspace, description="so many words " * 50, name="x" * 80)
    page = open_page(user=superuser, width=width)
    for path in ("", "dimensions/", "docs/", "redoc/"):
        page.goto(f"{live_server.url}/api/{path}")
        page.get_by_role("heading").first.wait_for()
        assert fits(page), path


@pytest.mark.parametrize(("path", "part"), [("docs/", ".opblock"), ("redoc/", "h1")])
def test_its_pages_follow_the_system_unless_somebody_chose_otherwise(
    open_page: Any, live_server: Any, path: str, part: str
) -> None:
    page = open_page(dark=True)
    address = f"{live_server.url}/api/{path}"
    page.goto(address)
    page.locator(part).first.wait_for(timeout=LONG)
    assert _brightness(page) < 60
    page.evaluate("localStorage.setItem('theme', 'light')")  # as the switch of the pages does
    page.goto(address)
    page.locator(part).first.wait_for(timeout=LONG)
    assert _brightness(page) > 200
    page.evaluate("localStorage.removeItem('theme')")


def _brightness(page: Page) -> float:
    """Of what the page is painted on, 0 to 255."""
    painted = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)")
    return float(sum(painted) / 3)
