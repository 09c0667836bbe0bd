"""Every icon that a page names is in the sprite."""

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


def test_every_icon_that_is_named_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', SPRITE.read_text()))
    assert _named() - drawn == set()
