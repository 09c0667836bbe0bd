import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, sync_playwright

from tests.browser import CHROMIUM, FLAGS


@pytest.fixture(autouse=True, scope="session")
def _connections_end_with_their_request(django_db_setup: None) -> Iterator[None]:
    """The live server's threads must not keep connections: the test database could not be dropped."""
    settings = connections.settings["default"]
    before = settings["CONN_MAX_AGE"]
    settings["CONN_MAX_AGE"] = 0
    yield
    settings["CONN_MAX_AGE"] = before


@pytest.fixture
def console_errors() -> list[str]:
    """What went wrong in the browser's console, refusals by a policy included. What is left fails the test."""
    return []


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, console_errors: list[str]) -> Iterator[Page]:
    """A page of a fresh browser."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread

    def note(message: Any) -> None:
        if message.type == "error":
            console_errors.append(message.text)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.on("pageerror", lambda error: console_errors.append(str(error)))
        page.on("console", note)
        yield page
        browser.close()
        connections.close_all()  # inside Playwright's loop, the test had one of its own
    assert console_errors == []
