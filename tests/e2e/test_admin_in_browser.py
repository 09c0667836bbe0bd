"""The admin in a real browser: sign in, look at a generated conversation, without an error in the console."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conversations.models import Conversation
from convgen.models import User
from generation.regeneration import regenerate
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.browser import needs_chromium, sign_in, sign_in_by_form
from tests.factories import ConversationFactory

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]


@pytest.fixture
def made(transactional_db: None, claude: SimulatedClaude) -> Conversation:
    return generate(ConversationFactory().pk)


def test_a_curator_signs_in_and_reads_a_conversation(made: Conversation, live_server: Any, page: Page) -> None:
    sign_in_by_form(page, live_server.url)
    page.goto(f"{live_server.url}/admin/conversations/conversation/")
    page.get_by_role("link", name=made.conversation_id).click()
    expect(page.get_by_text(made.turns.get(position=1).content).first).to_be_visible()
    expect(page.get_by_text("simulated", exact=False).first).to_be_visible()


@pytest.fixture
def regenerated(made: Conversation) -> Conversation:
    return regenerate(made.pk)


@pytest.mark.parametrize("width", [1280, 768])
def test_a_curator_compares_versions_and_orders_another(
    regenerated: Conversation, live_server: Any, open_page: Any, superuser: User, width: int
) -> None:
    page = open_page(user=superuser, width=width)
    page.goto(f"{live_server.url}/admin/conversations/conversation/{regenerated.pk}/change/")
    page.get_by_role("link", name=f"Compare with {regenerated.parent}").click()
    expect(page.get_by_role("heading", name="What became different")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name=regenerated.conversation_id).click()
    page.get_by_role("link", name="Regenerate").click()
    assert fits(page)
    page.get_by_label("Further parameters").fill("city = Oslo")
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("is queued, before what waits already")).to_be_visible()
    expect(page.get_by_text(f"This version is to replace {regenerated}")).to_be_visible()


def fits(page: Page) -> bool:
    """Whether no field, button or table reaches beyond the column in the middle."""
    beyond = """[...document.querySelectorAll("#content select, #content input, #content textarea, #content table")]
        .filter(one => one.getBoundingClientRect().right >
            document.querySelector("#content-main").getBoundingClientRect().right + 1).length"""
    return page.evaluate(beyond) == 0


def test_a_curator_edits_a_turn_and_adds_two(made: Conversation, live_server: Any, page: Page, superuser: User) -> None:
    count = made.turn_count
    sign_in(page, superuser)
    page.goto(f"{live_server.url}/admin/conversations/conversation/{made.pk}/change/")
    page.get_by_label("Turn 1", exact=True).fill("Where do I begin?")
    for place, (role, content) in enumerate([("User", "And after that?"), ("Assistant", "Rest.")]):
        page.get_by_role("button", name="Add another Turn").click()
        page.locator(f"[name=turns-{count + place}-role]").select_option(role)
        page.locator(f"[name=turns-{count + place}-content]").fill(content)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".messagelist")).to_contain_text(f"Quality {made.quality_score}")
    expect(page.get_by_text(f"The {count} turns before")).to_be_visible()
    turns = [turn.content for turn in made.turns.order_by("position")]
    assert (turns[0], turns[-2:]) == ("Where do I begin?", ["And after that?", "Rest."])
