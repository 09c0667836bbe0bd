"""Every page of the admin, and every one of our own beside it, has nothing that axe finds: WCAG 2.1, levels A and AA.

Each is looked at in light and in dark, with rows and without. Not ours, and so not here: Swagger UI and ReDoc, which
`/api/docs/` and `/api/redoc/` show.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from conversations.models import Conversation, Workspace
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.accessibility import found, refuse
from tests.browser import needs_chromium
from tests.showcase import Showcase, furnish

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
APPS = sorted({model._meta.app_label for model in MODELS})
Visit = Callable[..., None]


def list_of(model: type[Model], **query: str) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", query=query or None)


def page_of(row: Model, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def pages_about(model: type[Model]) -> Iterator[str]:
    """The pages that Django's admin has for a model: its list, and those of one row."""
    yield list_of(model)
    yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    row = model._default_manager.first()
    assert row is not None, f"tests/showcase.py makes no {model._meta.label}: add one"
    yield from (page_of(row, page) for page in ("change", "history", "delete"))


@pytest.fixture
def shown(starter: Workspace, claude: SimulatedClaude, superuser: User) -> Showcase:
    return furnish(starter, by=superuser)


@pytest.fixture
def visit(live_server: Any, superuser: User, open_page: Callable[..., Page]) -> Visit:
    """Looks at pages as a superuser, and fails with what axe finds; those that she may not open are left out."""
    client, page = Client(), open_page(user=superuser)
    client.force_login(superuser)

    def looked_at(*paths: str) -> None:
        findings = []
        for path in paths:
            if client.get(path).status_code != 403:
                answer = page.goto(f"{live_server.url}{path}")
                assert answer is not None and answer.ok, path
                findings += found(page)
        refuse(findings)

    return looked_at


@pytest.mark.parametrize("app", APPS)
def test_the_pages_about_the_models_of_an_app(shown: Showcase, visit: Visit, app: str) -> None:
    visit(*(page for model in MODELS if model._meta.app_label == app for page in pages_about(model)))


def test_the_pages_of_our_own(shown: Showcase, visit: Visit) -> None:
    visit(
        reverse("admin:index"),
        reverse("admin:conversations_coverage"),
        reverse("admin:settings"),
        reverse("admin:keyboard"),
        reverse("admin:app_list", args=["conversations"]),
        reverse("admin:password_change"),
        reverse("admin:batches_batchjob_plan"),
        reverse("admin:batches_batchjob_plan", query={"tier": "template", "selection": "gaps"}),
        page_of(shown.running, "progress"),
        page_of(shown.paused, "progress"),
        page_of(shown.running, "cancel"),
        page_of(shown.done, "summary"),
        page_of(shown.broken, "summary"),
        page_of(shown.written, "regenerate"),
        page_of(shown.written, "compare"),
        reverse("admin:batches_generate_single"),
        reverse("admin:batches_generate_single", query={"from": shown.written.pk}),
        page_of(shown.failed, "generate"),
        page_of(shown.failed, "making"),
        page_of(shown.waiting, "making"),
        reverse("admin:conversations_export_new"),
        reverse("api-root"),
        "/api/dimensions/",
    )


def test_conversations_and_batches_in_each_state(shown: Showcase, visit: Visit) -> None:
    visit(*map(page_of, (shown.waiting, shown.draft, shown.failed, shown.running, shown.paused, shown.broken)))


def test_a_list_in_which_nothing_matches(shown: Showcase, visit: Visit) -> None:
    visit(list_of(Conversation, q="nothing-has-this-name"))


def test_lists_that_are_empty(starter: Workspace, visit: Visit) -> None:
    starter.delete()
    visit(reverse("admin:index"), *map(list_of, MODELS))


def test_the_login_with_and_without_an_error(
    live_server: Any, page: Page, accessible: Callable[..., None], transactional_db: None
) -> None:
    page.goto(f"{live_server.url}/admin/login/")
    accessible(page)
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Please enter the correct").wait_for()
    accessible(page)


def test_forms_that_were_refused(
    live_server: Any, open_page: Callable[..., Page], superuser: User, starter: Workspace, accessible: Any
) -> None:
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}/admin/conversations/prompttemplate/add/")
    page.locator("form [required]").evaluate_all("fields => fields.forEach(field => field.required = false)")
    page.locator("[name=_save]").last.click()
    page.get_by_text("Please correct the errors below").wait_for()
    accessible(page)


def test_a_page_that_is_not_there(
    live_server: Any, open_page: Callable[..., Page], superuser: User, trouble: Any, accessible: Any
) -> None:
    page = open_page(user=superuser)
    page.goto(f"{live_server.url}/admin/nowhere/")
    accessible(page)
    assert "404" in trouble.errors.pop()  # the browser's own note of the answer
