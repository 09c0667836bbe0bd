"""Writes `convgen/static/convgen/icons.svg`, the sprite of the pages' icons, from Lucide (ISC licence).

Run it after adding a name to `ICONS`; it needs npm, which fetches the release that is named here:

    python tools/vendor_icons.py
"""

import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

RELEASE = "lucide-static@1.62.0"
SPRITE = Path(__file__).resolve().parent.parent / "convgen/static/convgen/icons.svg"

# Our name, and Lucide's.
ICONS = {
    "archive": "archive",
    "auto": "sun-moon",
    "approve": "circle-check-big",
    "batches": "layers",
    "cancel": "circle-x",
    "changes": "message-square-warning",
    "check": "check",
    "chevron-left": "chevron-left",
    "chevron-right": "chevron-right",
    "clock": "clock",
    "close": "x",
    "compare": "columns-2",
    "conversations": "messages-square",
    "cost": "circle-dollar-sign",
    "coverage": "grid-3x3",
    "dashboard": "layout-dashboard",
    "date": "calendar",
    "delete": "trash-2",
    "download": "download",
    "edit": "pencil",
    "empty": "inbox",
    "error": "circle-alert",
    "exports": "share",
    "eye": "eye",
    "filter": "sliders-horizontal",
    "generate": "sparkles",
    "help": "circle-question-mark",
    "history": "history",
    "info": "info",
    "keyboard": "keyboard",
    "list": "list",
    "logs": "scroll-text",
    "moon": "moon",
    "more": "ellipsis-vertical",
    "pause": "pause",
    "person": "circle-user",
    "play": "play",
    "plus": "plus",
    "regenerate": "refresh-cw",
    "reject": "circle-x",
    "retry": "rotate-cw",
    "review": "clipboard-check",
    "save": "save",
    "search": "search",
    "settings": "settings",
    "simulated": "flask-conical",
    "sources": "book-open-text",
    "stop": "square",
    "success": "circle-check",
    "sun": "sun",
    "tag": "tag",
    "target": "target",
    "templates": "notebook-pen",
    "warning": "triangle-alert",
}

# Our own.
BRAND = (
    '<path d="M4 5.5A2.5 2.5 0 0 1 6.5 3h7A2.5 2.5 0 0 1 16 5.5v4a2.5 2.5 0 0 1-2.5 2.5H9l-3 3v-3.05'
    'A2.5 2.5 0 0 1 4 9.5z"/>'
    '<path d="M16 9h1.5A2.5 2.5 0 0 1 20 11.5v4a2.5 2.5 0 0 1-2 2.45V21l-3-3h-3.5a2.5 2.5 0 0 1-2.2-1.3"/>'
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        named = subprocess.run(
            ["npm", "pack", "--silent", RELEASE], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(Path(folder, named.stdout.strip())) as release:
            drawn = {ours: _drawing(release, theirs) for ours, theirs in ICONS.items()}
    symbols = [_symbol(name, drawing) for name, drawing in sorted({**drawn, "brand": BRAND}.items())]
    head = f"<!-- {RELEASE}, ISC licence, https://lucide.dev; written by tools/vendor_icons.py -->"
    SPRITE.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor">{head}\n{"".join(symbols)}</svg>\n'
    )


def _drawing(release: tarfile.TarFile, name: str) -> str:
    file = release.extractfile(f"package/icons/{name}.svg")
    if file is None:
        raise SystemExit(f"{RELEASE} has no icon “{name}”.")
    inside = re.search(r"<svg[^>]*>(.*)</svg>", file.read().decode(), re.DOTALL)
    if inside is None:
        raise SystemExit(f"{RELEASE} draws “{name}” in a way that is not understood here.")
    return " ".join(inside[1].split()).replace(" />", "/>").replace("> <", "><")


def _symbol(name: str, drawing: str) -> str:
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">'
        f"{drawing}</symbol>\n"
    )


if __name__ == "__main__":
    main()
