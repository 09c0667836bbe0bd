"""A real browser that looks at the pages. The fixtures that open one are in `tests/e2e/conftest.py`."""

import shutil
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Request

from convgen.models import User

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Without these, Chromium asks its maker's servers at every start; and as root it has no sandbox.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

HEIGHT = 900  # pixels of a window; its width is each test's own
HOSTS = ("localhost", "127.0.0.1")  # under which tests serve the site
PASSWORD = "a long enough password"

NOTE_REFUSALS = """
document.addEventListener("securitypolicyviolation", (event) =>
    noteRefusal(`${event.effectiveDirective} refused ${event.blockedURI} on ${event.documentURI}`));
"""


@dataclass
class Trouble:
    """What went wrong in the browser's windows. Whatever is left of it at the end fails the test.

    `errors` are those of the console, `refused` is what a Content-Security-Policy did not let through, and `abroad`
    what was asked of another machine.
    """

    errors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.expose_binding("noteRefusal", lambda _source, text: self.refused.append(text))
        context.add_init_script(NOTE_REFUSALS)
        context.on("console", lambda message: self._note(message.type, message.text))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", self._note_host)

    def refuse(self) -> None:
        """Whole: an assertion would cut it."""
        if told := [*self.errors, *self.refused, *(f"asked of another machine: {address}" for address in self.abroad)]:
            pytest.fail("\n".join(told), pytrace=False)

    def _note(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)

    def _note_host(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname not in HOSTS:
            self.abroad.append(request.url)


def open_window(
    browser: Browser, *, user: User | None = None, dark: bool = False, width: int = 1280, javascript: bool = True
) -> Page:
    """A page of a window with cookies of its own, in which the user is signed in."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",  # nothing is looked at half-way
        java_script_enabled=javascript,
    )
    page = context.new_page()
    if user is not None:
        sign_in(page, user)
    return page


def sign_in(page: Page, user: User) -> None:
    """By a session's cookie, without the form: it costs no page."""
    cookie = settings.SESSION_COOKIE_NAME
    client = Client()
    client.force_login(user)
    value = client.cookies[cookie].value
    page.context.add_cookies([{"name": cookie, "value": value, "domain": host, "path": "/"} for host in HOSTS])


def sign_in_by_form(page: Page, address: str) -> User:
    """As a new superuser, through the admin's login; the page is the admin's first one."""
    user = User.objects.create_superuser("admin", password=PASSWORD)
    page.goto(f"{address}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return user


class Requests:
    """What a page has asked for from now on: `asked.to("/progress/")` counts those to addresses with such a part."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.addresses: list[str] = []
        page.on("request", lambda request: self.addresses.append(request.url))

    def to(self, part: str) -> int:
        return sum(part in address for address in self.addresses)

    def wait_for(self, part: str, number: int, *, seconds: float = 15) -> None:
        """Wait until the page has asked so often."""
        waited = 0.0
        while self.to(part) < number:
            assert waited < seconds, f"{self.to(part)} and not {number} requests to {part} within {seconds} s"
            self._page.wait_for_timeout(100)
            waited += 0.1

    def in_the_next(self, seconds: float, part: str) -> int:
        """How often the page asks while one waits: 0, if its polling has stopped and the time is longer than a poll."""
        before = self.to(part)
        self._page.wait_for_timeout(seconds * 1000)
        return self.to(part) - before


def fits(page: Page) -> bool:
    """Whether the page needs no scrolling sideways."""
    fitting: Any = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return bool(fitting)
