"""A real browser that looks at the pages."""

import shutil

import pytest
from playwright.sync_api import Page

from convgen.models import User

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Without these, Chromium asks its maker's servers at every start; and as root it has no sandbox.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


def sign_in(page: Page, address: str) -> User:
    """As a new superuser, through the admin's login."""
    user = User.objects.create_superuser("admin", password="a long enough password")
    page.goto(f"{address}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Log in").click()
    return user
