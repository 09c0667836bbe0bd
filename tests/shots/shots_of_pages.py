"""Pictures of every page of `album.py`, in light and dark, wide and narrow: `make shots`, then var/shots/index.html.

SHOTS="wizard|batch" takes only those whose name matches.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.template import Context, Engine
from django.utils.text import slugify
from playwright.sync_api import Page, sync_playwright

from conversations.benchmark.seeding import seed
from conversations.models import Workspace
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.browser import CHROMIUM, FLAGS, HEIGHT, needs_chromium, open_window
from tests.processes import web
from tests.shots.album import FULL, MANY, NOTHING, STATES, Shot, album
from tests.showcase import Showcase, furnish

FOLDER = Path(settings.BASE_DIR) / "var" / "shots"
MANY_CONVERSATIONS = 300
WIDTHS = (1280, 768)
SCHEMES = ("light", "dark")

INDEX = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Pictures of convgen</title><link rel="stylesheet" href="index.css"></head>
<body><h1>Pictures of convgen</h1>
{% for name, files in pictures %}<h2>{{ name }}</h2>
<div>
{% for file in files %}<a href="{{ file }}"><img src="{{ file }}" alt="{{ file }}" loading="lazy"></a>
{% endfor %}</div>
{% endfor %}</body></html>
"""
STYLE = """
body { font: 16px system-ui; margin: 2rem; background: #eee }
div { display: flex; gap: 1rem; align-items: start }
img { width: 22vw; border: 1px solid #999 }
"""

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]


def wanted(state: str) -> list[Shot]:
    return [shot for shot in album() if shot.state == state and re.search(os.environ.get("SHOTS", ""), shot.name)]


@pytest.fixture(scope="session", autouse=True)
def _index() -> Iterator[None]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    yield
    groups: dict[str, list[str]] = {}
    for path in sorted(FOLDER.glob("*.png")):
        groups.setdefault(path.stem.rsplit(".", 2)[0], []).append(path.name)
    page = Engine().from_string(INDEX).render(Context({"pictures": sorted(groups.items())}))
    (FOLDER / "index.html").write_text(page)
    (FOLDER / "index.css").write_text(STYLE)


@pytest.fixture
def superuser(transactional_db: None) -> User:
    return User.objects.create_superuser("maria")


def site_as(state: str, workspace: Workspace, by: User) -> Showcase | None:
    """Bring the site into a state, from that of a new one."""
    if state in (NOTHING, MANY):
        workspace.delete()
    if state == MANY:
        seed("benchmark", MANY_CONVERSATIONS)
    return furnish(workspace, by=by) if state == FULL else None


@pytest.mark.parametrize("state", STATES)
def test_pictures_are_taken(
    starter: Workspace, claude: SimulatedClaude, superuser: User, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    if not (shots := wanted(state)):
        pytest.skip("none of this state is wanted")
    shown = site_as(state, starter, superuser)
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread
    with web() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def opened(shot: Shot, **window: Any) -> Page:
            return open_window(browser, user=superuser if shot.signed_in else None, **window)

        for shot in shots:
            path = shot.path if isinstance(shot.path, str) else shot.path(shown)  # type: ignore[arg-type]
            take(shot, address + path, opened)
        browser.close()
        connections.close_all()  # inside Playwright's loop, the test had one of its own


def take(shot: Shot, url: str, opened: Callable[..., Page]) -> None:
    """One picture for each width and scheme, each in a window of its own."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = opened(shot, dark=scheme == "dark", width=width)
            page.goto(url)
            if shot.act:
                shot.act(page)
            page.wait_for_load_state()
            grow(page, width)
            page.screenshot(path=FOLDER / f"{slugify(shot.name)}-{shot.state}.{width}.{scheme}.png")
            page.context.close()


def grow(page: Page, width: int) -> None:
    """Make the window as high as the page: what sticks to an edge would else stand in the midst of the picture."""
    height: int = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, HEIGHT)})
