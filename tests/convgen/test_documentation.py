"""The documentation names what there is, and links to what there is."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
OTHERS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "deploy/README.md")]
PAGES = [*OTHERS, *sorted((ROOT / "docs").rglob("*.md"))]
OURS = ("convgen", "conversations", "generation", "batches")


def test_every_command_is_documented() -> None:
    text = "\n".join(page.read_text() for page in PAGES) + (ROOT / "Makefile").read_text()
    commands = [name for name, app in get_commands().items() if app in OURS]
    assert commands
    assert [name for name in commands if not re.search(rf"\b{name}\b", text)] == []


def test_every_make_target_is_documented() -> None:
    text = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test", "run", "stop", "bench", "lint", "lock"} <= set(targets)
    assert [target for target in targets if target != "help" and f"make {target}" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
