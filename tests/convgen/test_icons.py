"""Every icon that a page names is in the sprite, and no other."""

import re
from pathlib import Path

from django.conf import settings

from convgen.navigation import PLACES

BASE = Path(settings.BASE_DIR)
SPRITE = BASE / "convgen/static/convgen/icons.svg"
APPS = ("convgen", "conversations", "generation", "batches")


def _named() -> set[str]:
    """As templates draw them, as Python draws or passes them on, and as places of the navigation."""
    names: set[str] = set()
    for template in (BASE / "templates").rglob("*.html"):
        names |= set(re.findall(r'(?:{% icon |symbol=)"([a-z-]+)"', template.read_text()))
    for app in APPS:
        for module in (BASE / app).rglob("*.py"):
            names |= set(re.findall(r"""(?:icon\(|icon=|"icon": |icon: str = )"([a-z-]+)\"""", module.read_text()))
    return names | {place.icon for place in PLACES}


def _drawn() -> set[str]:
    return set(re.findall(r'<symbol id="([a-z-]+)"', SPRITE.read_text()))


def test_every_icon_that_is_named_is_drawn() -> None:
    assert _named() - _drawn() == set()


def test_no_icon_is_sent_that_nothing_names() -> None:
    """However it comes into a template: its name stands somewhere between quotation marks."""
    pages = (BASE / "templates").rglob("*.html")
    modules = (module for app in APPS for module in (BASE / app).rglob("*.py"))
    text = "".join(file.read_text() for file in (*pages, *modules))
    assert {name for name in _drawn() if f'"{name}"' not in text} == set()
