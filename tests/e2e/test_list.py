"""The list of conversations in a real browser: with the mouse, by keyboard alone, without JavaScript, and for axe."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conversations import quality
from conversations.models import Conversation, Membership, Workspace
from convgen.models import User
from tests.browser import fits, needs_chromium
from tests.factories import ConversationFactory, DimensionFactory, TurnFactory, UserFactory, WorkspaceFactory

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

LIST = "/admin/conversations/conversation/"
Open = Callable[..., Page]


def staff(workspace: Workspace, role: str) -> User:
    user: User = UserFactory(is_staff=True)
    Membership.objects.update_or_create(workspace=workspace, user=user, defaults={"role": role})
    return user


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    workspace: Workspace = WorkspaceFactory(is_default=True)
    DimensionFactory(workspace=workspace, name="Nurse")
    return workspace


@pytest.fixture
def lead(workspace: Workspace) -> User:
    return staff(workspace, "lead")


@pytest.fixture
def waiting(workspace: Workspace) -> list[Conversation]:
    """Three that wait for review, the last one newest and on top."""
    said = [quality.Turn("user", "What comes first?"), quality.Turn("assistant", "A plan.")]
    report = quality.assess(quality.Sample(turns=tuple(said), tier="template"))
    made = []
    for number, persona in enumerate(("Nurse", "Teacher", "Nurse")):
        conversation = ConversationFactory(
            workspace=workspace,
            status="pending_review",
            persona=persona,
            title=f"Talk {number}",
            quality_score=report.score,
            quality_metrics=report.as_json(),
            simulated=number == 0,
            turn_count=2,
        )
        for position, turn in enumerate(said, start=1):
            TurnFactory(conversation=conversation, position=position, role=turn.role, content=turn.content)
        made.append(conversation)
    return made


def statuses(rows: list[Conversation]) -> list[str]:
    return [Conversation.objects.get(pk=row.pk).status for row in rows]


def ids_in(page: Page) -> list[str]:
    return page.locator("#result_list tbody .field-readable_id").all_inner_texts()


@pytest.mark.parametrize("width", [1280, 768])
def test_filters_are_set_in_the_panel_and_taken_away_by_their_chips(
    live_server: Any, open_page: Open, lead: User, waiting: list[Conversation], width: int
) -> None:
    page = open_page(user=lead, width=width)
    page.goto(f"{live_server.url}{LIST}")
    assert fits(page)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Persona").select_option("Nurse")
    page.get_by_label("Quality from").fill("0.5")
    assert fits(page)
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile("persona=Nurse&quality_from=0.5$"))
    assert ids_in(page) == [waiting[2].conversation_id, waiting[0].conversation_id]
    page.get_by_role("link", name="Persona: Nurse").click()
    page.wait_for_url(re.compile(r"\?quality_from=0.5$"))
    assert len(ids_in(page)) == 3
    page.get_by_role("link", name="Clear all").click()
    page.wait_for_url(f"**{LIST}")
    page.get_by_role("searchbox").fill("nowhere")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No conversation matches")).to_be_visible()


def test_a_score_tells_what_it_is_made_of_to_mouse_and_keyboard(
    live_server: Any, open_page: Open, lead: User, waiting: list[Conversation], accessible: Callable[[Page], None]
) -> None:
    page = open_page(user=lead)
    page.goto(f"{live_server.url}{LIST}")
    note, score = page.get_by_role("tooltip"), page.locator("[data-breakdown]").first
    expect(note).to_be_hidden()
    score.hover()
    expect(note).to_contain_text("Turn count")
    accessible(page)
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    page.locator("#result_list .field-readable_id a").first.focus()
    page.keyboard.press("Tab")
    expect(score).to_be_focused()
    expect(note).to_be_visible()
    expect(score).to_have_attribute("aria-describedby", "breakdown")
    page.keyboard.press("Tab")
    expect(note).to_be_hidden()


def test_a_rows_menu_works_by_keyboard_alone(
    live_server: Any, open_page: Open, lead: User, waiting: list[Conversation], accessible: Callable[[Page], None]
) -> None:
    page = open_page(user=lead)
    page.goto(f"{live_server.url}{LIST}?status__exact=pending_review")
    summary = page.get_by_label(f"What can be done with {waiting[2]}")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Reject")).to_be_visible()
    accessible(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Reject")).to_be_hidden()
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Reject").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=f"Reject {waiting[2]}?")).to_be_visible()
    accessible(page)
    dialog.get_by_label("Why?").fill("Too short.")
    dialog.get_by_role("button", name="Reject").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 conversation is now rejected.")).to_be_visible()
    assert page.url.endswith("?status__exact=pending_review")
    assert statuses(waiting) == ["pending_review", "pending_review", "rejected"]
    assert Conversation.objects.get(pk=waiting[2].pk).review_history[0]["note"] == "Too short."


def test_one_is_approved_from_its_menu(
    live_server: Any, open_page: Open, lead: User, waiting: list[Conversation]
) -> None:
    page = open_page(user=lead)
    page.goto(f"{live_server.url}{LIST}")
    page.get_by_label(f"What can be done with {waiting[1]}").click()
    page.locator("details[open]").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("1 conversation is now approved.")).to_be_visible()
    assert statuses(waiting) == ["pending_review", "approved", "pending_review"]


def test_many_are_chosen_confirmed_and_archived(
    live_server: Any, open_page: Open, lead: User, waiting: list[Conversation], accessible: Callable[[Page], None]
) -> None:
    page = open_page(user=lead)
    page.goto(f"{live_server.url}{LIST}")
    archive = page.locator("#bar").get_by_role("button", name="Archive")
    expect(archive).to_be_hidden()
    page.get_by_label(f"Choose {waiting[2]}").check()
    page.get_by_label(f"Choose {waiting[0]}").click(modifiers=["Shift"])
    expect(page.get_by_text("3 chosen")).to_be_visible()
    page.get_by_label(f"Choose {waiting[1]}").uncheck()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    accessible(page)
    archive.click()
    expect(page.get_by_role("heading", name="Archive 2 conversations?")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_label(f"Choose {waiting[2]}")).to_be_checked()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    assert "archived" not in statuses(waiting)
    archive.click()
    page.get_by_role("button", name="Archive 2").click()
    expect(page.get_by_text("2 conversations are now archived.")).to_be_visible()
    assert statuses(waiting) == ["archived", "pending_review", "archived"]


def test_all_of_the_page_and_all_that_match_are_chosen(
    live_server: Any, open_page: Open, lead: User, workspace: Workspace
) -> None:
    for _ in range(51):
        ConversationFactory(workspace=workspace)
    page = open_page(user=lead)
    page.goto(f"{live_server.url}{LIST}?status__exact=draft")
    page.get_by_label("Choose all on this page").check()
    expect(page.get_by_text("50 chosen")).to_be_visible()
    page.get_by_label("Select all 51").check()
    expect(page.get_by_text("All 51 chosen")).to_be_visible()
    page.locator("#bar").get_by_role("button", name="Archive").click()
    page.get_by_role("button", name="Archive 51").click()
    expect(page.get_by_text("51 conversations are now archived.")).to_be_visible()
    assert not Conversation.objects.filter(status="draft").exists()


def test_who_may_neither_review_nor_generate_is_offered_neither(
    live_server: Any, open_page: Open, workspace: Workspace, waiting: list[Conversation]
) -> None:
    page = open_page(user=staff(workspace, "operator"))
    page.goto(f"{live_server.url}{LIST}")
    page.get_by_label(f"Choose {waiting[0]}").check()
    expect(page.locator("#bar").get_by_role("button")).to_have_text(["Export"])
    expect(page.get_by_role("link", name="Generate all")).to_have_count(0)
    page.get_by_label(f"What can be done with {waiting[0]}").click()
    expect(page.locator("details[open] .menu-items > *")).to_have_text(["Open"])


def test_an_export_is_counted_while_it_is_chosen_and_downloaded(
    live_server: Any, open_page: Open, lead: User, waiting: list[Conversation], accessible: Callable[[Page], None]
) -> None:
    page = open_page(user=lead)
    page.goto(f"{live_server.url}{LIST}")
    page.get_by_role("link", name="Export", exact=True).click()
    count = page.locator("#export-count")
    expect(count).to_contain_text("0 conversations")
    page.get_by_label("Pending review").check()
    expect(count).to_contain_text("2 conversations")
    page.get_by_label("Include simulated conversations").check()
    expect(count).to_contain_text("3 conversations")
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Export").click()
    expect(page.get_by_text("3 conversations exported.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the file").click()
    assert download.value.suggested_filename.endswith(".jsonl")
    accessible(page)


@pytest.mark.parametrize("width", [1280, 768])
def test_without_javascript_everything_can_be_done(
    live_server: Any, open_page: Open, lead: User, waiting: list[Conversation], width: int
) -> None:
    page = open_page(user=lead, javascript=False, width=width)
    page.goto(f"{live_server.url}{LIST}")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Persona").select_option("Nurse")
    page.get_by_role("button", name="Apply").click()
    assert len(ids_in(page)) == 2
    page.get_by_label(f"Choose {waiting[0]}").check()
    page.locator("#bar").get_by_role("button", name="Request changes").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_label(f"Choose {waiting[0]}")).to_be_checked()
    page.locator("#bar").get_by_role("button", name="Request changes").click()
    page.get_by_label("What is to be changed?").fill("Name the fee.")
    page.get_by_role("button", name="Request changes").click()
    expect(page.get_by_text("1 conversation now needs revision.")).to_be_visible()
    page.get_by_label(f"What can be done with {waiting[2]}").click()
    page.get_by_role("link", name="Archive").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("1 conversation is now archived.")).to_be_visible()
    assert statuses(waiting) == ["needs_revision", "pending_review", "archived"]
    page.get_by_role("link", name="Export", exact=True).click()
    page.get_by_label("Pending review").check()
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#export-count")).to_contain_text("1 conversation")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("1 conversation exported.")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 768])
def test_the_list_is_accessible_with_rows_without_and_with_nothing_found(
    live_server: Any,
    open_page: Open,
    lead: User,
    waiting: list[Conversation],
    accessible: Callable[[Page], None],
    width: int,
) -> None:
    page = open_page(user=lead, width=width)
    for query in ("", "?q=nowhere&quality_from=much"):
        page.goto(f"{live_server.url}{LIST}{query}")
        page.locator("summary", has_text="Filters").click()
        accessible(page)
    Conversation.objects.all().delete()
    page.goto(f"{live_server.url}{LIST}")
    expect(page.get_by_role("heading", name="No conversations yet")).to_be_visible()
    accessible(page)
