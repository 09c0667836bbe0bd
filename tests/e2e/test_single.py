"""*Generate single* in a real browser, with a real worker and simulated Claude."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from batches.models import BatchJob
from conversations.models import Conversation, PromptTemplate, Workspace
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.browser import Requests, fits, needs_chromium
from tests.factories import DimensionFactory, PromptTemplateFactory, WorkspaceFactory

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

LIST, NEW = "/admin/conversations/conversation/", "/admin/conversations/conversation/generate/"
WRITING = 60_000  # milliseconds, on a machine that does much else


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    made: Workspace = WorkspaceFactory(is_default=True)
    for kind, name in [("persona", "Careful saver"), ("emotion", "Anxious"), ("topic", "Building an emergency fund")]:
        DimensionFactory(workspace=made, kind=kind, name=name)
    return made


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    made: PromptTemplate = PromptTemplateFactory(
        workspace=workspace,
        name="A common question",
        structure="Write a talk between {{persona}} of {{city}} and an adviser.",
        variables=[{"name": "city", "type": "text", "required": True}],
    )
    PromptTemplateFactory(workspace=workspace, name="Another one")
    return made


@pytest.fixture
def dialog(open_page: Callable[..., Page], superuser: User, live_server: Any, template: PromptTemplate) -> Page:
    """The dashboard, with the dialog that its button opens."""
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("link", name="Generate single").first.click()
    expect(page.locator("#dialog").get_by_role("heading", name="Generate one conversation")).to_be_visible()
    return page


def fill_in(page: Page, city: str = "Oslo") -> None:
    page.get_by_label("Template").select_option("A common question")
    page.get_by_label("Persona").select_option("Careful saver")
    page.get_by_label("Emotion").select_option("Anxious")
    page.get_by_label("Topic").select_option("Building an emergency fund")
    page.get_by_label("City").fill(city)


def order(page: Page) -> None:
    page.get_by_role("button", name="Generate", exact=True).click()


def test_from_the_form_to_the_saved_conversation(
    dialog: Page, real_worker: Any, accessible: Callable[..., None], claude: SimulatedClaude
) -> None:
    accessible(dialog)
    fill_in(dialog, "")
    expect(dialog.locator("#preview-said")).to_contain_text(re.compile("1 value is missing or wrong:\\s*city"))
    accessible(dialog)
    order(dialog)
    expect(dialog.locator(".field-variable_city")).to_contain_text("The prompt needs a value here.")
    expect(dialog.get_by_label("Persona")).to_have_value("Careful saver")
    assert not Conversation.objects.exists()
    accessible(dialog)
    dialog.get_by_label("City").fill("Oslo")
    expect(dialog.locator("#prompt-preview mark[title=city]")).to_have_text("Oslo")
    expect(dialog.locator("#preview-said")).to_contain_text("Nothing is missing. It will cost about $")
    asked = Requests(dialog)
    claude.behaviour.latency = 3
    order(dialog)
    expect(dialog.locator("#dialog progress")).to_be_visible()
    accessible(dialog)
    expect(dialog.get_by_role("button", name="Save")).to_be_visible(timeout=WRITING)
    assert asked.to("/making/?was=") > 0
    assert asked.in_the_next(5, "/making/") == 0, "it is there: nobody asks any more"
    made = Conversation.objects.get()
    expect(dialog.locator("#dialog")).to_contain_text(made.turns.get(position=1).content[:60])
    expect(dialog.locator("#dialog .badge-simulated").first).to_be_visible()
    accessible(dialog)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_url(re.compile(f"/{made.pk}/change/$"))
    expect(dialog.locator(".toast")).to_contain_text(f"{made} is saved.")
    accessible(dialog)


def test_a_failure_is_told_and_tried_again_with_all_that_was_chosen(
    dialog: Page, real_worker: Any, accessible: Callable[..., None], claude: SimulatedClaude
) -> None:
    claude.behaviour.script.append("400")
    fill_in(dialog)
    order(dialog)
    expect(dialog.locator("#dialog")).to_contain_text("was not written", timeout=WRITING)
    accessible(dialog)
    dialog.get_by_role("link", name="Change values").click()
    expect(dialog.get_by_label("City")).to_have_value("Oslo")
    dialog.get_by_label("City").fill("Bergen")
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog.get_by_role("button", name="Save")).to_be_visible(timeout=WRITING)
    assert Conversation.objects.get().parameters == {"city": "Bergen"}


def test_a_result_is_discarded_with_a_reason(dialog: Page, real_worker: Any) -> None:
    fill_in(dialog)
    order(dialog)
    expect(dialog.get_by_role("button", name="Save")).to_be_visible(timeout=WRITING)
    dialog.locator("summary", has_text="Discard").click()
    dialog.keyboard.press("Escape")
    expect(dialog.get_by_label("Why?")).to_be_hidden()
    expect(dialog.locator("#dialog")).to_be_visible()
    dialog.locator("summary", has_text="Discard").click()
    dialog.get_by_label("Why?").fill("Not what I meant.")
    dialog.get_by_role("button", name="Discard it").click()
    expect(dialog.locator(".toast")).to_contain_text("is discarded: it is in the archive.")
    made = Conversation.objects.get()
    assert made.status == "archived"
    assert made.review_history[-1]["note"].endswith("Not what I meant.")


def test_closing_the_dialog_ends_its_polling_and_not_the_generation(
    dialog: Page, claude: SimulatedClaude, live_server: Any
) -> None:
    asked = Requests(dialog)
    fill_in(dialog)
    order(dialog)
    asked.wait_for("/making/?was=", 1)
    dialog.locator("#dialog").get_by_role("button", name="Close").click()
    assert asked.in_the_next(5, "/making/?was=") == 0
    made = Conversation.objects.get()
    assert BatchJob.objects.get().status == "processing"
    dialog.goto(f"{live_server.url}{LIST}{made.pk}/change/")
    asked.wait_for("/making/?on=page", 1)


def test_all_of_it_without_a_script(
    open_page: Callable[..., Page], superuser: User, live_server: Any, template: PromptTemplate, real_worker: Any
) -> None:
    page = open_page(user=superuser, javascript=False)
    page.goto(f"{live_server.url}{NEW}")
    page.get_by_label("Template").select_option("A common question")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Persona").select_option("Careful saver")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview-said")).to_contain_text("city")
    expect(page.get_by_label("Persona")).to_have_value("Careful saver")
    page.get_by_label("City").fill("Oslo")
    order(page)
    while page.get_by_role("link", name="Look again").is_visible():
        page.get_by_role("link", name="Look again").click()
        page.wait_for_timeout(500)
    page.get_by_role("button", name="Save").click()
    made = Conversation.objects.get()
    expect(page.locator(".toast")).to_contain_text(f"{made} is saved.")
    page.get_by_label("Turn 1", exact=True).fill("Where do I begin?")
    page.get_by_role("button", name="Save", exact=True).click()
    assert made.turns.get(position=1).content == "Where do I begin?"
    page.get_by_role("link", name="Add two turns").click()
    page.get_by_label(f"Turn {made.turn_count + 1}", exact=True).fill("And after that?")
    page.get_by_role("button", name="Save", exact=True).click()
    assert made.turns.count() == made.turn_count + 1
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".toast")).to_contain_text("is now approved.")


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_the_pages_fit(
    open_page: Callable[..., Page],
    superuser: User,
    live_server: Any,
    template: PromptTemplate,
    claude: SimulatedClaude,
    width: int,
) -> None:
    page = open_page(user=superuser, width=width)
    page.goto(f"{live_server.url}{NEW}?template={template.pk}")
    assert fits(page)
    fill_in(page)
    order(page)
    expect(page.locator("#progress")).to_be_visible()
    assert fits(page)
    made = Conversation.objects.get()
    page.goto(f"{live_server.url}{LIST}{made.pk}/change/")
    assert fits(page)
