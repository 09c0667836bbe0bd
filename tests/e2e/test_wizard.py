"""Generating a batch, from the button to the summary, in a real browser with a real worker and simulated Claude."""

from collections.abc import Callable
from typing import Any

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from batches.models import BatchJob
from conversations.models import Conversation, PromptTemplate, Workspace
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.browser import Requests, Trouble, fits, needs_chromium
from tests.factories import (
    BatchItemFactory,
    ConversationFactory,
    DimensionFactory,
    MembershipFactory,
    PromptTemplateFactory,
    UserFactory,
    WorkspaceFactory,
    batch_of,
)
from tests.processes import eventually

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

LONG = 60_000  # milliseconds: a worker has a batch to write
BATCHES = "/admin/batches/batchjob/"


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    """With a plan of seven places in two tiers."""
    workspace = WorkspaceFactory()
    DimensionFactory.create_batch(3, workspace=workspace)
    PromptTemplateFactory(workspace=workspace, name="Grief", target_count=4)
    PromptTemplateFactory(workspace=workspace, name="Fraud", tier="edge_case", target_count=3)
    return workspace


@pytest.fixture
def curator(workspace: Workspace) -> User:
    return curator_of(workspace)


@pytest.fixture
def open_curator(open_page: Callable[..., Page], live_server: Any, curator: User) -> Callable[..., Page]:
    """Opens a curator's window at an address."""

    def opened(path: str = BATCHES, user: User = curator, **wishes: Any) -> Page:
        page = open_page(user=user, **wishes)
        page.goto(f"{live_server.url}{path}")
        return page

    return opened


@pytest.fixture
def slow(claude: SimulatedClaude) -> SimulatedClaude:
    """Claude takes its time, so that a batch can be met in its midst."""
    claude.behaviour.latency = 1.5
    return claude


def curator_of(workspace: Workspace) -> User:
    user = UserFactory(is_staff=True)
    MembershipFactory(workspace=workspace, user=user, role="curator")
    return user


def dialog(page: Page) -> Locator:
    return page.locator("#dialog")


def button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def go_on(place: Page | Locator, to: str) -> None:
    """By *Next*, to the step of that title."""
    button(place, "Next").click()
    expect(place.get_by_role("heading", name=to)).to_be_visible()


def start(page: Page, tier: str = "All tiers") -> None:
    """From the button *Generate* to the progress, in the dialog."""
    page.get_by_role("link", name="Generate").first.click()
    dialog(page).get_by_role("radio", name=tier).check()
    begin(page)
    expect(dialog(page).locator("[aria-current=step]")).to_have_text("Progress")


def begin(page: Page) -> None:
    """From the first step in the dialog to the progress."""
    go_on(dialog(page), "What will be generated")
    go_on(dialog(page), "Start generation?")
    button(dialog(page), "Start generation").click()


def test_everything_is_generated_from_the_button_to_the_summary(
    open_curator: Callable[..., Page], real_worker: psutil.Process
) -> None:
    page = open_curator()
    start(page)
    expect(dialog(page).get_by_text("7 conversations generated.").first).to_be_visible(timeout=LONG)
    expect(dialog(page).locator("[aria-current=step]")).to_have_text("Summary")
    expect(dialog(page).locator(".toast")).to_contain_text("7 conversations generated.")
    expect(dialog(page).locator("#dialog-title")).to_be_focused()
    assert Conversation.objects.exclude(status__in=["draft", "failed"]).count() == 7
    assert page.url.endswith(BATCHES)  # a dialog leaves the address as it is
    dialog(page).get_by_role("link", name="View conversations").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(7)


def test_gaps_of_one_tier_are_filled_by_a_link(open_curator: Callable[..., Page], real_worker: psutil.Process) -> None:
    page = open_curator(f"{BATCHES}plan/?tier=edge_case&selection=gaps")
    expect(page.get_by_role("radio", name="Edge case 0 of 3 written 3 to generate")).to_be_checked()
    button(page, "Next").click()
    button(page, "Back").click()
    expect(page.get_by_role("radio", name="Edge case")).to_be_checked()
    button(page, "Next").click()
    button(page, "Next").click()
    button(page, "Start generation").click()
    expect(page.locator("[aria-current=step]")).to_have_text("Summary", timeout=LONG)
    expect(page.locator("main .toast")).to_contain_text("3 conversations generated.")
    assert set(Conversation.objects.values_list("tier", flat=True)) == {"edge_case"}


def test_a_wrong_value_comes_into_sight(open_curator: Callable[..., Page]) -> None:
    page = open_curator()
    page.get_by_role("link", name="Generate").first.click()
    budget = dialog(page).get_by_label("Budget in USD")
    budget.fill("-1")
    button(dialog(page), "Next").click()
    expect(budget).to_have_attribute("aria-invalid", "true")
    expect(budget).to_be_focused()
    foot, field = dialog(page).locator(".wizard-foot").bounding_box(), budget.bounding_box()
    assert foot and field and field["y"] + field["height"] < foot["y"]


def test_a_dialog_that_was_closed_is_found_again_on_another_page(
    open_curator: Callable[..., Page], slow: SimulatedClaude, real_worker: psutil.Process
) -> None:
    page = open_curator()
    start(page)
    page.keyboard.press("Escape")
    expect(dialog(page).get_by_text("The batch goes on.")).to_be_visible()
    button(dialog(page), "Stay here").click()
    expect(dialog(page).get_by_text("The batch goes on.")).to_be_hidden()
    dialog(page).get_by_role("link", name="Close").click()
    expect(dialog(page).get_by_role("link", name="Close").last).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_hidden()
    page.get_by_role("link", name="Conversations").first.click()
    pill = page.locator(".pill")
    expect(pill).to_contain_text("/7")
    pill.click()
    expect(dialog(page).locator("#live")).to_contain_text("of 7")
    expect(dialog(page).get_by_text("7 conversations generated.").first).to_be_visible(timeout=LONG)
    expect(page.locator(".pill")).to_have_count(0)


def test_a_batch_is_paused_and_resumed(
    open_curator: Callable[..., Page], slow: SimulatedClaude, real_worker: psutil.Process
) -> None:
    page = open_curator()
    start(page)
    button(dialog(page), "Pause").click()
    expect(dialog(page).get_by_role("heading", name="Paused after")).to_be_visible()
    expect(page.locator(".pill.paused")).to_have_count(1)
    button(dialog(page), "Resume").click()
    expect(button(dialog(page), "Pause")).to_be_visible()
    expect(dialog(page).get_by_text("7 conversations generated.").first).to_be_visible(timeout=LONG)


def test_a_batch_is_cancelled_after_a_question(
    open_curator: Callable[..., Page], slow: SimulatedClaude, real_worker: psutil.Process
) -> None:
    page = open_curator()
    start(page)
    dialog(page).get_by_role("link", name="Cancel batch").click()
    expect(dialog(page).get_by_role("heading", name="Cancel this batch?")).to_be_visible()
    dialog(page).get_by_role("link", name="Go on generating").click()
    dialog(page).get_by_role("link", name="Cancel batch").click()
    button(dialog(page), "Cancel batch").click()
    expect(dialog(page).get_by_text("Cancelled:").first).to_be_visible()
    assert BatchJob.objects.get().status == "cancelled"


def test_what_failed_is_regenerated(open_curator: Callable[..., Page], real_worker: psutil.Process) -> None:
    PromptTemplate.objects.filter(name="Fraud").update(structure="In {{city}}, with {{persona}}.")
    page = open_curator()
    start(page)
    expect(dialog(page).get_by_text("4 conversations generated, 3 failed.").first).to_be_visible(timeout=LONG)
    expect(dialog(page).get_by_text("Give the missing values")).to_be_visible()
    dialog(page).get_by_role("link", name="Regenerate failed").click()
    expect(dialog(page).get_by_role("radio", name="Failed ones only")).to_be_checked()
    dialog(page).get_by_text("Values for all of them").first.click()
    dialog(page).get_by_label("Values for all of them").fill("city = Oslo")
    begin(page)
    expect(dialog(page).get_by_text("3 conversations generated.").first).to_be_visible(timeout=LONG)
    assert not Conversation.objects.filter(status="failed").exists()


def test_two_curators_at_once_do_not_pay_twice(
    open_curator: Callable[..., Page], workspace: Workspace, slow: SimulatedClaude, real_worker: psutil.Process
) -> None:
    one, other = open_curator(), open_curator(user=curator_of(workspace))
    for page in (one, other):
        page.get_by_role("link", name="Generate").first.click()
        go_on(dialog(page), "What will be generated")
        go_on(dialog(page), "Start generation?")
    for page in (one, other):
        button(dialog(page), "Start generation").click()
    first, late = (one, other) if came_first(one) else (other, one)
    expect(first.locator("#dialog [aria-current=step]")).to_have_text("Progress")
    expect(dialog(late).get_by_role("heading", name="Nothing to generate")).to_be_visible()
    expect(dialog(late).get_by_text("7 conversations are left out")).to_be_visible()
    dialog(late).get_by_role("link", name="Close").click()
    late.reload()
    late.locator(".pill").click()
    for page in (one, other):
        expect(dialog(page).get_by_text("7 conversations generated.").first).to_be_visible(timeout=LONG)
    assert BatchJob.objects.count() == 1


def came_first(page: Page) -> bool:
    """Whose click the server took first, of two that are under way together: nobody can say beforehand."""
    answer = page.locator("#dialog [aria-current=step]", has_not_text="Confirm")
    expect(answer).to_be_visible()
    return answer.inner_text().strip() == "Progress"


def test_without_javascript_it_is_done_by_pages_alone(
    open_curator: Callable[..., Page], slow: SimulatedClaude, real_worker: psutil.Process
) -> None:
    page = open_curator(javascript=False)
    page.get_by_role("link", name="Generate").first.click()
    page.get_by_role("radio", name="Template").check()
    button(page, "Next").click()
    button(page, "Back").click()
    expect(page.get_by_role("radio", name="Template")).to_be_checked()
    button(page, "Next").click()
    button(page, "Next").click()
    button(page, "Start generation").click()
    expect(page.get_by_text("This page does not change by itself.")).to_be_visible()
    eventually(lambda: BatchJob.objects.get().ended, seconds=30)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("4 conversations generated.")).to_be_visible()
    page.get_by_role("link", name="View conversations").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(4)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, place: Locator) -> None:
    """By the tabulator alone."""
    for _ in range(60):
        if place.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"The tabulator does not lead to {place}.")


def test_the_whole_wizard_by_keyboard_alone(open_curator: Callable[..., Page], real_worker: psutil.Process) -> None:
    page = open_curator()
    tab_to(page, page.get_by_role("link", name="Generate").first)
    press(page, "Enter")
    expect(dialog(page).locator("#dialog-title")).to_be_focused()
    tab_to(page, dialog(page).get_by_role("radio", name="All tiers"))
    press(page, "ArrowRight")
    expect(dialog(page).get_by_role("radio", name="Template")).to_be_checked()
    slider = dialog(page).get_by_role("slider")
    tab_to(page, slider)
    press(page, "ArrowRight")
    expect(dialog(page).locator("output")).to_have_text("4")
    tab_to(page, button(dialog(page), "Next"))
    press(page, "Enter")
    expect(dialog(page).get_by_role("heading", name="What will be generated")).to_be_focused()
    tab_to(page, button(dialog(page), "Next"))
    press(page, "Enter")
    expect(dialog(page).get_by_role("heading", name="Start generation?")).to_be_focused()
    tab_to(page, button(dialog(page), "Start generation"))
    press(page, "Enter")
    expect(dialog(page).get_by_text("4 conversations generated.").first).to_be_visible(timeout=LONG)
    expect(dialog(page).locator("#dialog-title")).to_be_focused()
    press(page, "Escape")
    expect(dialog(page)).to_be_hidden()
    assert BatchJob.objects.get().concurrent_processing == 4


def test_polling_stops_when_the_dialog_is_closed_and_when_the_batch_has_ended(
    open_curator: Callable[..., Page], workspace: Workspace
) -> None:
    job = batch_of("completed", "queued", workspace=workspace, status="processing")
    page = open_curator()
    asked = Requests(page)
    page.locator(".pill").click()
    asked.wait_for("/progress/live/", 2)
    dialog(page).get_by_role("link", name="Close").click()
    page.locator("[data-close=sure]").click()
    assert asked.in_the_next(4.5, "/progress/live/") == 0
    asked.wait_for("/running/", 1)
    page.locator(".pill").click()
    expect(dialog(page).locator("#live")).to_be_visible()
    BatchJob.objects.filter(pk=job.pk).update(status="completed")
    expect(dialog(page).locator("[aria-current=step]")).to_have_text("Summary")
    expect(page.locator(".pill")).to_have_count(0)
    assert asked.in_the_next(6, "/live/") == 0
    assert asked.in_the_next(6, "/running/") == 0


def test_a_batch_that_was_deleted_is_asked_for_no_more(
    open_curator: Callable[..., Page], workspace: Workspace, trouble: Trouble
) -> None:
    job = batch_of("completed", "queued", workspace=workspace, status="processing")
    page = open_curator(f"{BATCHES}{job.pk}/progress/")
    expect(page.locator("#live")).to_be_visible()
    job.delete()
    expect(page.locator(".toast")).to_contain_text("not there any more")
    expect(page.locator("#live")).to_have_count(0)
    assert Requests(page).in_the_next(4.5, "/live/") == 0
    trouble.errors.clear()  # the browser's own word about the answer 404


def test_a_server_that_cannot_be_reached_is_told_of_once(
    open_curator: Callable[..., Page], workspace: Workspace, trouble: Trouble
) -> None:
    job = batch_of("completed", "queued", workspace=workspace, status="processing")
    page = open_curator(f"{BATCHES}{job.pk}/progress/")
    asked = Requests(page)
    page.context.set_offline(True)
    asked.wait_for("/live/", 3)
    expect(page.locator(".toast")).to_have_count(1)
    expect(page.locator(".toast")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    asked.wait_for("/live/", 4)  # it goes on by itself
    trouble.errors.clear()


@pytest.mark.parametrize("width", [1280, 768])
def test_each_step_is_accessible_and_fits(
    open_curator: Callable[..., Page], workspace: Workspace, accessible: Callable[[Page], None], width: int
) -> None:
    PromptTemplate.objects.filter(name="Fraud").update(structure="In {{city}}, with {{persona}}.")
    page = open_curator(width=width)
    accessible(page)  # the empty list
    page.get_by_role("link", name="Generate").first.click()
    dialog(page).get_by_text("Rarely needed").click()
    dialog(page).get_by_role("radio", name="Some that I name").check()
    accessible(page)
    button(dialog(page), "Next").click()
    expect(dialog(page).get_by_text("Name at least one conversation.")).to_be_visible()
    accessible(page)
    dialog(page).get_by_role("radio", name="Everything that the plan still lacks").check()
    go_on(dialog(page), "What will be generated")
    dialog(page).get_by_text("By template").click()
    accessible(page)
    go_on(dialog(page), "Start generation?")
    accessible(page)
    assert fits(page)
    button(dialog(page), "Start generation").click()
    expect(dialog(page).locator("#live")).to_be_visible()
    accessible(page)
    page.keyboard.press("Escape")
    accessible(page)
    button(dialog(page), "Stay here").click()
    dialog(page).get_by_role("link", name="Cancel batch").click()
    expect(dialog(page).get_by_role("heading", name="Cancel this batch?")).to_be_visible()
    accessible(page)


@pytest.mark.parametrize("status", ["processing", "paused", "completed"])
def test_a_batchs_pages_are_accessible(
    open_curator: Callable[..., Page],
    workspace: Workspace,
    accessible: Callable[[Page], None],
    live_server: Any,
    status: str,
) -> None:
    job = batch_of("failed", workspace=workspace, status=status)
    job.items.update(error_type="overloaded", error_message="Claude is overloaded.")
    made = ConversationFactory(workspace=workspace, status="approved", quality_score="8.4", simulated=True)
    BatchItemFactory(job=job, conversation=made, status="completed")
    page = open_curator(f"{BATCHES}{job.pk}/change/")
    accessible(page)
    page.goto(f"{live_server.url}{BATCHES}{job.pk}/progress/")
    accessible(page)
    page.goto(f"{live_server.url}{BATCHES}")
    accessible(page)
    assert fits(page)
