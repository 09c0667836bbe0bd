"""The gauges of the other browser tests work: what they are to notice, they notice."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from batches.models import BatchJob
from batches.planning import Order, create
from conversations.coverage import fill_gaps
from conversations.models import Workspace
from convgen.models import User
from tests.accessibility import found
from tests.browser import Requests, Trouble, needs_chromium, sign_in
from tests.processes import eventually

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium]

ADDRESS = "http://localhost/"
START = '<!doctype html><html lang="en"><head><title>A page</title></head><body><main>'


def show(page: Page, body: str, **headers: str) -> None:
    """A page that no server has."""

    def answer(route: Route) -> None:
        route.fulfill(body=START + body, headers={"Content-Type": "text/html", **headers})

    page.route("**/*", answer)
    page.goto(ADDRESS)


def test_what_a_policy_refuses_is_noticed(page: Page, trouble: Trouble) -> None:
    show(page, '<p style="color: red">Red</p>', **{"Content-Security-Policy": "style-src 'self'"})
    page.get_by_text("Red").wait_for()
    assert "style-src-attr refused inline" in trouble.refused.pop()
    assert "style" in trouble.errors.pop()


def test_errors_of_scripts_are_noticed(page: Page, trouble: Trouble) -> None:
    show(page, "<script>nobody.there()</script><script>console.error('oh no')</script>")
    assert sorted(trouble.errors) == ["nobody is not defined", "oh no"]
    trouble.errors.clear()


def test_requests_to_other_machines_are_noticed(page: Page, trouble: Trouble) -> None:
    show(page, '<img alt="" src="http://elsewhere.example/dot.gif">')
    page.wait_for_load_state("networkidle")
    assert trouble.abroad == ["http://elsewhere.example/dot.gif"]
    trouble.abroad.clear()


def test_an_element_without_a_name_and_pale_text_are_found(page: Page) -> None:
    show(page, '<input><p style="color: #999; background: #fff">Pale</p>')
    findings = "\n".join(found(page))
    assert "Form elements must have labels (label, critical, 1 times)" in findings
    assert "in light: Elements must meet minimum color contrast" in findings
    assert "in dark: Elements must meet minimum color contrast" in findings


def test_polls_are_counted_and_seen_to_stop(page: Page) -> None:
    polls = Requests(page)
    show(page, "<script>let n = 0; setInterval(() => n++ < 3 && fetch('/poll'), 50)</script>")
    polls.wait_for("/poll", 3)
    assert polls.in_the_next(0.3, "/poll") == 0
    assert polls.to("/poll") == 3


def test_windows_are_as_wide_and_dark_as_asked_and_each_has_a_curator_of_its_own(
    open_page: Callable[..., Page], superuser: User, starter: Workspace, live_server: Any
) -> None:
    hers = open_page(user=superuser, dark=True, width=768, javascript=False)
    nobody_s = open_page()
    hers.goto(f"{live_server.url}/admin/password_change/")
    expect(hers.get_by_label("Old password")).to_be_visible()
    nobody_s.goto(f"{live_server.url}/admin/password_change/")
    expect(nobody_s.get_by_role("button", name="Log in")).to_be_visible()
    assert hers.viewport_size == {"width": 768, "height": 900}
    assert [each.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") for each in (hers, nobody_s)] == [
        True,
        False,
    ]


def test_what_is_queued_here_is_done_by_the_worker(
    starter: Workspace, real_worker: Any, page: Page, superuser: User, live_server: Any
) -> None:
    job = create(Order(workspace=starter, selection="chosen", chosen=[str(fill_gaps(starter)[0].pk)]))
    assert job is not None
    eventually(lambda: BatchJob.objects.filter(pk=job.pk, status="completed", successful_items=1), seconds=60)
    sign_in(page, superuser)
    page.goto(f"{live_server.url}/admin/batches/batchjob/{job.pk}/change/")
    expect(page.get_by_text("1 successful")).to_be_visible()
