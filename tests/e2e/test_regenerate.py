"""Regenerating and editing on a conversation's page, in a real browser with a real worker and simulated Claude."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conversations.models import Conversation
from convgen.models import User
from generation.regeneration import regenerate
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.background import apart
from tests.browser import Requests, fits, needs_chromium
from tests.factories import ConversationFactory, DimensionFactory, WorkspaceFactory

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

WRITING = 60_000  # milliseconds


@pytest.fixture
def made(transactional_db: None, claude: SimulatedClaude) -> Conversation:
    workspace = WorkspaceFactory(is_default=True)
    DimensionFactory(workspace=workspace, kind="emotion", name="Hopeful")
    return apart(generate, ConversationFactory(workspace=workspace, conversation_id="TPL-0001").pk)


@pytest.fixture
def page_of_it(made: Conversation, open_page: Callable[..., Page], superuser: User, live_server: Any) -> Page:
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}/admin/conversations/conversation/{made.pk}/change/")
    return page


def test_regenerating_leads_to_the_new_version_and_both_are_compared(
    page_of_it: Page, made: Conversation, real_worker: Any, accessible: Callable[..., None]
) -> None:
    page = page_of_it
    accessible(page)
    page.get_by_role("link", name="Regenerate").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading", name="Regenerate TPL-0001")).to_be_visible()
    expect(dialog.get_by_label("Persona")).to_have_value("Careful saver")
    dialog.get_by_label("Emotion").select_option("Hopeful")
    expect(dialog.locator("#prompt-preview")).to_contain_text("Hopeful")
    accessible(page)
    asked = Requests(page)
    dialog.get_by_role("button", name="Regenerate").click()
    expect(page.locator(".toast")).to_contain_text(
        "Conversation regenerated. Previous version archived.", timeout=WRITING
    )
    version = Conversation.objects.get(version=2)
    expect(page).to_have_url(re.compile(f"/{version.pk}/change/$"))
    assert asked.in_the_next(5, "/making/") == 0
    made.refresh_from_db()
    assert (made.status, version.emotion) == ("archived", "Hopeful")
    timeline = page.locator("ol.versions")
    expect(timeline.locator("li.current")).to_contain_text("TPL-0001-v2")
    timeline.get_by_role("link", name="Compare with TPL-0001").click()
    expect(page.get_by_role("heading", name="What became different")).to_be_visible()
    expect(page.locator("table.facts")).to_contain_text("Hopeful")
    accessible(page)


def test_a_failed_regeneration_leaves_the_conversation_as_it_was(
    page_of_it: Page, made: Conversation, real_worker: Any, claude: SimulatedClaude, accessible: Callable[..., None]
) -> None:
    claude.behaviour.script.append("400")
    page_of_it.get_by_role("link", name="Regenerate").click()
    page_of_it.locator("#dialog").get_by_role("button", name="Regenerate").click()
    expect(page_of_it.locator("#dialog")).to_contain_text("TPL-0001-v2 was not written.", timeout=WRITING)
    accessible(page_of_it)
    made.refresh_from_db()
    assert made.status in ("generated", "pending_review")
    page_of_it.get_by_role("button", name="Try again").click()
    expect(page_of_it.locator(".toast")).to_contain_text("Conversation regenerated.", timeout=WRITING)


def test_a_turn_is_edited_two_are_added_and_it_is_scored_anew(page_of_it: Page, made: Conversation) -> None:
    page, count = page_of_it, made.turn_count
    page.get_by_label("Turn 1", exact=True).fill("Where do I begin?")
    for place, content in enumerate(["And after that?", "Rest."], start=count + 1):
        page.get_by_role("button", name="Add a turn").click()
        page.get_by_label(f"Turn {place}", exact=True).fill(content)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("main > .toasts")).to_contain_text(f"Quality {made.quality_score}")
    expect(page.get_by_text(f"The {count} turns before")).to_be_visible()
    turns = list(made.turns.order_by("position").values_list("role", "content"))
    assert turns[0] == ("user", "Where do I begin?")
    assert turns[-2:] == [("user", "And after that?"), ("assistant", "Rest.")]


def test_a_reviewer_asks_for_changes_by_keyboard(page_of_it: Page, made: Conversation) -> None:
    page = page_of_it
    page.locator("summary", has_text="Request changes").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Shorter, please.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("TPL-0001 is now needs revision.")
    made.refresh_from_db()
    assert made.review_history[-1]["note"] == "Shorter, please."


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_the_pages_fit(
    made: Conversation, open_page: Callable[..., Page], superuser: User, live_server: Any, width: int
) -> None:
    page = open_page(user=superuser, width=width)
    for part in ("change", "regenerate", "making"):
        page.goto(f"{live_server.url}/admin/conversations/conversation/{made.pk}/{part}/")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert fits(page), part


@pytest.fixture
def regenerated(made: Conversation) -> Conversation:
    return apart(regenerate, made.pk)


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_two_versions_side_by_side_fit(
    regenerated: Conversation, open_page: Callable[..., Page], superuser: User, live_server: Any, width: int
) -> None:
    page = open_page(user=superuser, width=width)
    page.goto(f"{live_server.url}/admin/conversations/conversation/{regenerated.pk}/compare/")
    expect(page.get_by_role("heading", name="What became different")).to_be_visible()
    assert fits(page)
