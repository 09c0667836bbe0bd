"""What the frame of every page does in a browser: dialogs, menus, toasts, single keys, light and dark."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Route, expect

from conversations.models import Workspace
from convgen.models import User
from tests.browser import fits, needs_chromium

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

LIST = "/admin/conversations/dimension/"


@pytest.fixture
def at_list(live_server: Any, open_page: Callable[..., Page], superuser: User, starter: Workspace) -> Page:
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}{LIST}")
    return page


def test_keyboard_help_opens_by_its_key_and_gives_the_focus_back(
    at_list: Page, accessible: Callable[..., None]
) -> None:
    add = at_list.get_by_role("link", name="Add dimension")
    add.focus()
    at_list.keyboard.press("?")
    expect(at_list.get_by_role("dialog", name="Keyboard")).to_be_visible()
    expect(at_list.locator("#dialog-title")).to_be_focused()
    accessible(at_list)
    at_list.keyboard.press("Escape")
    expect(at_list.locator("#dialog")).to_be_hidden()
    expect(at_list.locator("#dialog-body")).to_be_empty()
    expect(add).to_be_focused()


def test_single_keys_lead_to_other_pages_and_to_the_search(at_list: Page) -> None:
    at_list.keyboard.press("/")
    expect(at_list.get_by_label("Search")).to_be_focused()
    at_list.keyboard.type("gb")  # typed, and not followed
    expect(at_list.get_by_label("Search")).to_have_value("gb")
    at_list.get_by_role("heading", level=1).click()
    at_list.keyboard.press("g")
    at_list.keyboard.press("b")
    expect(at_list.get_by_role("heading", level=1)).to_have_text("Batches")


def test_single_keys_can_be_turned_off(at_list: Page) -> None:
    at_list.keyboard.press("?")
    at_list.get_by_label("Single keys do this").uncheck()
    at_list.get_by_role("dialog").get_by_role("link", name="Close").click()
    at_list.keyboard.press("?")
    at_list.keyboard.press("/")
    expect(at_list.locator("#dialog")).to_be_hidden()
    expect(at_list.get_by_label("Search")).not_to_be_focused()
    at_list.get_by_role("link", name="Keyboard help").click()
    expect(at_list.get_by_label("Single keys do this")).not_to_be_checked()


def test_a_menu_closes_with_escape_and_by_a_click_elsewhere(at_list: Page) -> None:
    summary, log_out = at_list.locator("#account > summary"), at_list.get_by_role("button", name="Log out")
    summary.press("Enter")
    expect(log_out).to_be_visible()
    at_list.keyboard.press("Escape")
    expect(log_out).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    at_list.get_by_role("heading", level=1).click()
    expect(log_out).to_be_hidden()


def test_good_news_is_a_toast_that_can_be_put_away(at_list: Page, accessible: Callable[..., None]) -> None:
    at_list.get_by_role("link", name="Add dimension").click()
    at_list.get_by_label("Kind").select_option("tone")
    at_list.get_by_label("Name").fill("Dry")
    at_list.get_by_role("button", name="Save", exact=True).click()
    toast = at_list.get_by_role("status").get_by_text("added successfully")
    expect(toast).to_be_visible()
    accessible(at_list)
    at_list.get_by_role("button", name="Put away").click()
    expect(toast).to_have_count(0)


def test_whoever_is_logged_out_meanwhile_gets_the_login_and_no_dialog_of_it(at_list: Page) -> None:
    Session.objects.all().delete()
    at_list.get_by_role("link", name="Keyboard help").click()
    expect(at_list.get_by_role("button", name="Log in")).to_be_visible()
    expect(at_list.locator("#dialog")).to_be_hidden()


def test_the_choice_of_light_or_dark_is_kept(at_list: Page) -> None:
    at_list.get_by_role("button", name="Light or dark").click()
    assert at_list.evaluate("document.documentElement.dataset.theme") == "dark"
    at_list.reload()
    assert at_list.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 21)"


def test_what_comes_when_the_dialog_is_closed_already_is_not_put_into_it(at_list: Page) -> None:
    held: list[Route] = []
    at_list.route("**/admin/keyboard/", lambda route: held.append(route))
    at_list.get_by_role("link", name="Keyboard help").click()
    expect(at_list.get_by_text("Loading…")).to_be_visible()
    at_list.keyboard.press("Escape")
    with at_list.expect_response("**/admin/keyboard/"):
        held[0].continue_()
    at_list.wait_for_timeout(200)
    expect(at_list.locator("#dialog-body")).to_be_empty()


def test_a_button_that_is_pressed_twice_sends_its_form_once(at_list: Page) -> None:
    at_list.get_by_role("link", name="Add dimension").click()
    # What would be sent is noted, and kept from being sent: the answer would be quicker than a second click.
    at_list.evaluate("""() => {
        window.sent = [];
        window.addEventListener("submit", (event) => {
            window.sent.push(!event.defaultPrevented);
            event.preventDefault();
        });
    }""")
    at_list.get_by_label("Kind").select_option("tone")
    at_list.get_by_label("Name").fill("Dry")
    at_list.get_by_role("button", name="Save", exact=True).dblclick()
    assert at_list.evaluate("window.sent") == [True, False]
    at_list.evaluate("window.dispatchEvent(new Event('pageshow'))")  # as when one comes back to the page
    at_list.get_by_role("button", name="Save", exact=True).click()
    assert at_list.evaluate("window.sent") == [True, False, True]


@pytest.mark.parametrize("width", [400, 768, 1280])
def test_the_frame_fits_every_width(
    live_server: Any, open_page: Any, superuser: User, starter: Any, width: int
) -> None:
    page = open_page(user=superuser, width=width)
    page.goto(f"{live_server.url}/admin/settings/")
    assert fits(page)


def test_without_javascript_dialogs_are_pages(
    live_server: Any, open_page: Callable[..., Page], superuser: User, starter: Workspace
) -> None:
    page = open_page(user=superuser, javascript=False)
    page.goto(f"{live_server.url}{LIST}")
    page.get_by_role("link", name="Keyboard help").click()
    expect(page.get_by_role("heading", name="Keyboard", level=1)).to_be_visible()
    page.locator("#account > summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in again")).to_be_visible()
