import os
from collections.abc import Callable, Iterator

import psutil
import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.accessibility import check
from tests.browser import CHROMIUM, FLAGS, Trouble, open_window
from tests.processes import worker

expect.set_options(timeout=20_000)  # milliseconds: of a machine that others use, too, and not of a page


@pytest.fixture(autouse=True, scope="session")
def _connections_end_with_their_request(django_db_setup: None) -> Iterator[None]:
    """The live server's threads must not keep connections: the test database could not be dropped."""
    settings = connections.settings["default"]
    before = settings["CONN_MAX_AGE"]
    settings["CONN_MAX_AGE"] = 0
    yield
    settings["CONN_MAX_AGE"] = before


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for the tests of a file: each opens windows of its own in it."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
        connections.close_all()  # inside Playwright's loop, the tests had some of their own


@pytest.fixture
def trouble() -> Trouble:
    """What went wrong in the browser. A test that expects some takes it away: `trouble.errors.pop()`."""
    return Trouble()


@pytest.fixture
def open_page(browser: Browser, trouble: Trouble) -> Iterator[Callable[..., Page]]:
    """Opens windows: `open_page(user=…, dark=True, width=768, javascript=False)`, all of it optional.

    Each has cookies of its own, so that two curators can work side by side.
    """

    windows: list[Page] = []

    def opened(**wishes: object) -> Page:
        page = open_window(browser, **wishes)  # type: ignore[arg-type]
        trouble.watch(page.context)
        windows.append(page)
        return page

    yield opened
    for page in windows:
        page.context.close()
    trouble.refuse()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page in which nobody is signed in."""
    return open_page()


@pytest.fixture
def superuser(transactional_db: None) -> User:
    return User.objects.create_superuser("admin")


@pytest.fixture
def accessible() -> Callable[..., None]:
    """Fails with what axe finds in a page as it stands, in light and in dark: `accessible(page)`."""
    return check


@pytest.fixture
def real_worker(transactional_db: None, claude: SimulatedClaude) -> Iterator[psutil.Process]:
    """A worker that does what the live server queues, with simulated Claude (script it by the fixture `claude`)."""
    with worker(BATCH_SLICE_SECONDS="20") as process:
        yield process
