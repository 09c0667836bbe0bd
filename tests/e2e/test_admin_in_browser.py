"""The admin in a real browser: sign in, look at a generated conversation, without an error in the console."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conversations.models import Conversation
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.background import apart
from tests.browser import needs_chromium, sign_in_by_form
from tests.factories import ConversationFactory

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]


@pytest.fixture
def made(transactional_db: None, claude: SimulatedClaude) -> Conversation:
    return apart(generate, ConversationFactory().pk)


def test_a_curator_signs_in_and_reads_a_conversation(made: Conversation, live_server: Any, page: Page) -> None:
    sign_in_by_form(page, live_server.url)
    page.goto(f"{live_server.url}/admin/conversations/conversation/")
    page.get_by_role("link", name=made.conversation_id).click()
    expect(page.get_by_text(made.turns.get(position=1).content).first).to_be_visible()
    expect(page.get_by_text("simulated", exact=False).first).to_be_visible()
