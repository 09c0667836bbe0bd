"""The dashboard and the coverage page in a real browser."""

from collections.abc import Callable
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

from batches.models import BatchJob
from batches.planning import Order, create
from conversations.choices import Status
from conversations.models import Conversation, PromptTemplate, Workspace
from conversations.starter.load import load_starter
from convgen.models import User
from convgen.tenancy import workspace_scope
from tests.browser import Requests, needs_chromium
from tests.factories import ConversationFactory, GenerationLogFactory, batch_of
from tests.statuses import put

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

OpenPage = Callable[..., Page]
PAGES = ["/admin/", "/admin/coverage/"]


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return load_starter().workspace


@pytest.fixture
def various(workspace: Workspace) -> None:
    """Something of everything that the pages show."""
    template = PromptTemplate.objects.filter(workspace=workspace).order_by("name").first()
    for place, status in enumerate([Status.APPROVED, Status.PENDING_REVIEW, Status.DRAFT, Status.FAILED] * 3):
        scored = status in (Status.APPROVED, Status.PENDING_REVIEW)
        made = ConversationFactory(
            workspace=workspace,
            template=template,
            slot=f"place:{place}",
            status=status,
            title="Rent comes first",
            quality_score=1 + place * 0.7 if scored else None,
            simulated=place > 6,
        )
        GenerationLogFactory(conversation=made, cost_usd=place)
        GenerationLogFactory(conversation=made, cost_usd=1, model="simulated-claude-sonnet-5-5", status="failed")
    batch_of("completed", "queued", workspace=workspace, status="paused", name="Paused for the night")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [1280, 768])
def test_figures_are_accessible_and_fit(
    various: None, superuser: User, live_server: Any, open_page: OpenPage, accessible: Any, path: str, width: int
) -> None:
    page = open_page(user=superuser, width=width)
    page.goto(live_server.url + path)
    for table in page.get_by_text("Show as table").all():
        table.click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    accessible(page)


@pytest.mark.parametrize("path", PAGES)
def test_a_new_installation_is_accessible(
    workspace: Workspace, superuser: User, live_server: Any, open_page: OpenPage, accessible: Any, path: str
) -> None:
    page = open_page(user=superuser)
    page.goto(live_server.url + path)
    accessible(page)


def test_fill_gaps_opens_the_plan_of_the_tier_in_the_dialog(
    workspace: Workspace, superuser: User, live_server: Any, open_page: OpenPage
) -> None:
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("link", name="Fill gaps: Edge case").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[name=tier][value=edge_case]:checked, select[name=tier]")).to_have_value("edge_case")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Fill gaps: Edge case")).to_be_focused()


@pytest.mark.parametrize("path", PAGES)
def test_without_javascript_the_gaps_are_filled_on_a_page(
    workspace: Workspace, superuser: User, live_server: Any, open_page: OpenPage, path: str
) -> None:
    page = open_page(user=superuser, javascript=False)
    page.goto(live_server.url + path)
    page.get_by_role("link", name="Fill gaps: Scenario").click()
    expect(page).to_have_url(f"{live_server.url}/admin/batches/batchjob/plan/?selection=gaps&tier=scenario")
    expect(page.get_by_role("radio", name="Scenario 0 of 40 written 40 to generate")).to_be_checked()


def test_a_number_leads_to_its_rows(various: None, superuser: User, live_server: Any, open_page: OpenPage) -> None:
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("link", name="Pending review 3").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)


def test_a_running_batch_is_followed_until_it_ends_and_then_the_figures_are_new(
    workspace: Workspace, superuser: User, live_server: Any, open_page: OpenPage
) -> None:
    job = batch_of("queued", "queued", workspace=workspace, status="processing", name="Night run")
    draft = Conversation.objects.filter(batch_items__job=job).first()
    assert draft is not None
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}/admin/")
    asked = Requests(page)
    bar = page.get_by_role("progressbar", name="Night run: 0 of 2 done")
    expect(bar).to_be_visible()
    asked.wait_for("/running/", 2)
    with workspace_scope(workspace.pk):
        put(draft, Status.APPROVED)
        for item in job.items.all():
            put(item, "completed")
        BatchJob.objects.filter(pk=job.pk).update(status="completed")
    expect(page.get_by_text("The batches have ended")).to_be_visible()
    expect(page.get_by_role("link", name="Approved 1")).to_be_visible()
    assert asked.in_the_next(5, "/running/") == 0


def test_a_real_batch_runs_on_the_dashboard(
    workspace: Workspace, superuser: User, live_server: Any, open_page: OpenPage, real_worker: psutil.Process
) -> None:
    with workspace_scope(workspace.pk):
        assert create(Order(workspace=workspace, tier="edge_case", concurrency=5, created_by=superuser))
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}/admin/")
    expect(page.get_by_text("The batches have ended")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("progressbar", name="Edge case: 20 of 20 written")).to_be_visible()
    expect(page.get_by_text("they are not training data")).to_be_visible()
