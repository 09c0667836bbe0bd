"""What `make shots` takes pictures of. To add a page, add a line; to add a state of it, say what leads there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.urls import reverse
from playwright.sync_api import Page

from convgen.tenancy import EVERY, workspace_scope
from tests.showcase import Showcase

NEW, FULL, MANY = "new", "full", "many"

# The states in which the site is looked at: a new one with the starter's templates, one with something of everything,
# and one with more than fits on a page. `NOTHING` is a site without a workspace.
NOTHING = "nothing"
STATES = (NOTHING, NEW, FULL, MANY)


@dataclass(frozen=True)
class Shot:
    """`path` is an address, or what makes one of the showcase; `act` is what is done on the page before the picture."""

    name: str
    path: str | Callable[[Showcase], str]
    state: str = FULL
    act: Callable[[Page], Any] | None = None
    signed_in: bool = True


def list_of(label: str, **query: str) -> str:
    """`list_of("batches.batchjob")`"""
    return reverse(f"admin:{label.replace('.', '_')}_changelist", query=query or None)


def add_to(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_add")


def page_of(row: Any, page: str = "change", *others: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk, *others])


def plan(**order: str) -> str:
    return reverse("admin:batches_batchjob_plan", query=order or None)


def generate_like(row: Any) -> str:
    return reverse("admin:batches_generate_single", query={"from": row.pk})


def _order_nothing(page: Page) -> None:
    page.get_by_label("Persona").select_option("")
    page.get_by_role("button", name="Generate", exact=True).click()


def _next(page: Page) -> None:
    page.get_by_role("button", name="Next").click()


def _next_twice(page: Page) -> None:
    _next(page)
    page.get_by_role("heading", name="What will be generated").wait_for()
    _next(page)


def _open_wizard(page: Page) -> None:
    """In the dialog, with every fold of its first step open."""
    page.get_by_role("link", name="Generate all").first.click()
    page.locator("#dialog .fold").first.wait_for()
    for fold in page.locator("#dialog .fold > summary").all():
        fold.click()


def _choose_template(page: Page) -> None:
    page.get_by_label("Template").select_option(index=1)
    page.locator("#prompt-preview").wait_for()


def _log_in_wrongly(page: Page) -> None:
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()


def _save(page: Page) -> None:
    """Past the browser's own refusal, so that ours is seen."""
    page.locator("form [required]").evaluate_all("fields => fields.forEach(field => field.required = false)")
    page.locator("[name=_save]").last.click()


def _open_filters(page: Page) -> None:
    page.locator("summary", has_text="Filters").click()


def _choose_all(page: Page) -> None:
    page.get_by_label("Choose all on this page").check()


def _open_menu(page: Page) -> None:
    page.locator("#result_list details.menu summary").first.click()


def _point_at_score(page: Page) -> None:
    page.locator("[data-breakdown]").first.hover()
    page.get_by_role("tooltip").wait_for()


def _ask_to_cancel(page: Page) -> None:
    for box in page.locator("#result_list tbody .action-select").all():
        box.check()
    page.locator("select[name=action]").select_option("cancel_selected")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name="Let").wait_for()


def _ask_to_archive(page: Page) -> None:
    _choose_all(page)
    page.locator("#bar").get_by_role("button", name="Archive").click()


CONVERSATIONS = "conversations.conversation"
LISTS = [
    *("conversations.prompttemplate", "conversations.dimension", "conversations.document", "conversations.chunk"),
    *("conversations.export", "conversations.workspace", "conversations.membership"),
    *("batches.batchjob", "batches.batchitem", "batches.messagebatch"),
    *("generation.generationlog", "generation.ratestate"),
    *("convgen.user", "convgen.apitoken", "auth.group"),
    *("django_q.schedule", "django_q.ormq", "django_q.failure", "django_q.success"),
]
ADDED = [
    *("conversations.prompttemplate", "conversations.dimension", "conversations.document", "conversations.workspace"),
    *("convgen.user", "convgen.apitoken"),
]


CHANGED = [
    *("conversations.prompttemplate", "conversations.dimension", "conversations.document", "conversations.chunk"),
    *("batches.batchitem", "generation.generationlog"),
]


def first(label: str) -> Any:
    with workspace_scope(EVERY):
        return apps.get_model(label)._default_manager.order_by("pk").first()


def album() -> list[Shot]:
    """All of them. A function: addresses are known once Django is set up."""
    return [
        Shot("login", reverse("admin:login"), signed_in=False),
        Shot("login, refused", reverse("admin:login"), signed_in=False, act=_log_in_wrongly),
        *(Shot("dashboard", reverse("admin:index"), state) for state in STATES),
        *(Shot("coverage", reverse("admin:conversations_coverage"), state) for state in STATES),
        *(Shot("conversations", list_of(CONVERSATIONS), state) for state in STATES),
        Shot("conversations, nothing found", list_of(CONVERSATIONS, q="nothing-has-this-name")),
        Shot("conversations, filtered", list_of(CONVERSATIONS, status__exact="approved")),
        Shot("conversations, filters", list_of(CONVERSATIONS, quality="weak"), MANY, act=_open_filters),
        Shot("conversations, chosen", list_of(CONVERSATIONS), MANY, act=_choose_all),
        Shot("conversations, a row's menu", list_of(CONVERSATIONS), act=_open_menu),
        Shot("conversations, a score", list_of(CONVERSATIONS), act=_point_at_score),
        Shot("conversations, archive?", list_of(CONVERSATIONS), act=_ask_to_archive),
        Shot("conversations, reject?", lambda shown: page_of(shown.waiting, "confirm", "reject")),
        Shot("export", reverse("admin:conversations_export_new")),
        Shot("conversation, approved", lambda shown: page_of(shown.written)),
        Shot("conversation, for review", lambda shown: page_of(shown.waiting)),
        Shot("conversation, draft", lambda shown: page_of(shown.draft)),
        Shot("conversation, failed", lambda shown: page_of(shown.failed)),
        Shot("conversation, compared", lambda shown: page_of(shown.written, "compare")),
        Shot("conversation, regenerate", lambda shown: page_of(shown.written, "regenerate")),
        Shot("conversation, change values", lambda shown: page_of(shown.failed, "generate")),
        Shot("conversation, result", lambda shown: page_of(shown.waiting, "making")),
        Shot("conversation, failed, tried", lambda shown: page_of(shown.failed, "making")),
        *(Shot("generate single", reverse("admin:batches_generate_single"), state) for state in (NEW, FULL)),
        Shot("generate single, template chosen", reverse("admin:batches_generate_single"), act=_choose_template),
        Shot("generate single, from a form filled in", lambda shown: generate_like(shown.written)),
        Shot("generate single, refused", lambda shown: generate_like(shown.written), act=_order_nothing),
        Shot("conversation, delete", lambda shown: page_of(shown.draft, "delete")),
        Shot("conversation, history", lambda shown: page_of(shown.written, "history")),
        *(Shot("wizard, configure", plan(), state) for state in (NEW, FULL)),
        Shot("wizard, in the dialog", reverse("admin:index"), act=_open_wizard),
        Shot("wizard, refused", plan(budget_usd="-1"), act=_next),
        Shot("wizard, preview", plan(tier="template", selection="gaps"), act=_next),
        Shot("wizard, preview, economy and a budget", plan(delivery="economy", budget_usd="0.01"), act=_next),
        Shot("wizard, confirm", plan(tier="template", selection="gaps"), act=_next_twice),
        Shot("wizard, progress", lambda shown: page_of(shown.running, "progress")),
        Shot("wizard, progress, paused", lambda shown: page_of(shown.paused, "progress")),
        Shot("wizard, cancel?", lambda shown: page_of(shown.running, "cancel")),
        Shot("wizard, summary", lambda shown: page_of(shown.done, "summary")),
        Shot("wizard, summary, with a failure", lambda shown: page_of(shown.broken, "summary")),
        Shot("batches, cancel?", list_of("batches.batchjob"), act=_ask_to_cancel),
        Shot("batch, running", lambda shown: page_of(shown.running)),
        Shot("batch, paused", lambda shown: page_of(shown.paused)),
        Shot("batch, done", lambda shown: page_of(shown.done)),
        Shot("batch, with a failure", lambda shown: page_of(shown.broken)),
        *(Shot(f"list, {label}", list_of(label), state) for label in LISTS for state in (NEW, FULL)),
        *(Shot(f"add, {label}", add_to(label)) for label in ADDED),
        Shot("add, refused", add_to("conversations.prompttemplate"), act=_save),
        *(
            Shot(f"list, {label}", list_of(label))
            for label in ("django_q.ormq", "django_q.failure", "django_q.success")
        ),
        *(Shot(f"change, {label}", lambda shown, label=label: page_of(first(label))) for label in CHANGED),
        Shot("delete, template", lambda shown: page_of(first("conversations.prompttemplate"), "delete")),
        Shot("settings", reverse("admin:settings")),
        Shot("keyboard", reverse("admin:keyboard")),
        Shot("password", reverse("admin:password_change")),
        Shot("not found", "/admin/nowhere/"),
    ]
