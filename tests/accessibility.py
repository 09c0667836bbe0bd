"""What axe-core finds in a page: the rules of WCAG 2.1, levels A and AA.

The script is that of `axe-playwright-python`. It is evaluated by the browser and stands in no page, so that no
Content-Security-Policy is in its way.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

LEVELS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # all else is the same in the dark
SHOWN = 6  # elements of one finding, at most


def check(page: Page) -> None:
    """Fail with what axe finds in the page as it stands, in light and in dark."""
    refuse(found(page))


def refuse(findings: list[str]) -> None:
    """Whole: an assertion would cut them."""
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def found(page: Page) -> list[str]:
    """What axe finds in light and in dark, in words for whoever mends it. The page is in light afterwards."""
    page.evaluate(Axe().axe_script)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # a colour half-way to another is none
    in_dark = list(_findings(page, "dark", COLOURS))
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return [*_findings(page, "light", LEVELS), *in_dark]


def _findings(page: Page, scheme: str, rules: dict[str, Any]) -> Iterator[str]:
    options = {
        "runOnly": rules,
        "resultTypes": ["violations"],
        "preload": False,
    }  # what is preloaded, the policy refuses
    answer = page.evaluate("options => axe.run(options)", options)
    for violation in answer["violations"]:
        nodes = violation["nodes"]
        about = f"{violation['id']}, {violation['impact']}, {len(nodes)} times"
        yield f"{urlsplit(page.url).path} in {scheme}: {violation['help']} ({about})"
        yield from (_in_words(node) for node in nodes[:SHOWN])


def _in_words(node: dict[str, Any]) -> str:
    place = " ".join(map(str, node["target"]))
    summary = " ".join(node["failureSummary"].split())
    return f"    {place}: {node['html'][:160]}\n        {summary}"
