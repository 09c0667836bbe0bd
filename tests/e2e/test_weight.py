"""What a page loads: scripts and style sheets together stay small, so that it is quick on a slow line."""

import gzip
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Page, Response

from conversations.models import Workspace
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.browser import needs_chromium
from tests.showcase import Showcase, furnish

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

MOST = 200_000  # bytes, gzipped
LITTLE = 60_000  # of the pages that are open most of the day
LOADED = ("script", "stylesheet")


@pytest.fixture
def shown(starter: Workspace, claude: SimulatedClaude, superuser: User) -> Showcase:
    return furnish(starter, by=superuser)


@pytest.fixture
def weigh(live_server: Any, superuser: User, open_page: Callable[..., Page]) -> Callable[[str], int]:
    """The bytes, gzipped, of all scripts and style sheets that a page loads."""
    page = open_page(user=superuser)
    page.route("**/*", lambda route: route.continue_())  # turns the cache off: a file that it holds comes without body
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response) if response.request.resource_type in LOADED else None)

    def weighed(path: str) -> int:
        loaded.clear()
        page.goto(f"{live_server.url}{path}", wait_until="networkidle")
        assert loaded, path
        return sum(len(gzip.compress(response.body())) for response in loaded)

    return weighed


def daily(shown: Showcase) -> Iterator[str]:
    yield reverse("admin:index")
    yield reverse("admin:conversations_coverage")
    yield reverse("admin:conversations_conversation_changelist")
    yield reverse("admin:batches_batchjob_plan", query={"tier": "template", "selection": "gaps"})
    yield reverse("admin:batches_batchjob_change", args=[shown.running.pk])


def test_the_pages_of_every_day_load_little(shown: Showcase, weigh: Callable[[str], int]) -> None:
    weights = {path: weigh(path) for path in daily(shown)}
    assert {path: weight for path, weight in weights.items() if weight > LITTLE} == {}


def test_no_page_loads_much(shown: Showcase, weigh: Callable[[str], int]) -> None:
    models = [model._meta for model in admin.site._registry]
    weights = {
        path: weigh(path)
        for path in (reverse(f"admin:{model.app_label}_{model.model_name}_changelist") for model in models)
    }
    written = reverse("admin:conversations_conversation_change", args=[shown.written.pk])
    weights[written] = weigh(written)
    forms = ("conversations_workspace", "conversations_prompttemplate", "conversations_document", "convgen_user")
    weights |= {path: weigh(path) for path in (reverse(f"admin:{form}_add") for form in forms)}
    assert {path: weight for path, weight in weights.items() if weight > MOST} == {}
