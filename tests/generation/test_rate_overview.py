"""How the rate limits stand, as the admin's page, the command and the metrics tell it."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client

from conversations.models import Workspace
from convgen.tenancy import workspace_scope
from generation.errors import RateLimited
from generation.limits import WINDOW
from generation.models import RateState
from generation.priority import Priority
from generation.rate_overview import rate_overviews
from tests.admin_pages import add_to, list_of, member, outsider, page_of
from tests.factories import WorkspaceFactory
from tests.generation.limiting import fail, granted, headers, limit, one, pass_time, settle, waits

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def full() -> None:
    """Two of two requests are used, of 1,000 input tokens 700; two wait, one of them with high priority."""
    limited = limit(2)
    settle(one(limited), input=700, output=5, said=headers((2, 1), input=(100_000, 99_000)))
    one(limited)
    waits(limit(2, who="Batch “90 conversations”", priority=Priority.LOW, workspace=uuid4()), 5)
    pass_time(1)
    waits(limit(2, who="TPL-0007", priority=Priority.HIGH))


def test_what_is_used_and_left_is_told_of_every_limit(full: None) -> None:
    [overview] = rate_overviews()
    requests, input, output = overview.uses
    assert (requests.limit, requests.used, requests.left, requests.reported) == (2, 2, 0, 1)
    assert (input.limit, input.used, input.left, input.reported) == (100_000, 1_400, 98_600, 99_000)
    assert (output.limit, output.left) == (None, None)
    assert (overview.state.granted, overview.state.refused, overview.blocked_for) == (2, 0, 0.0)


def test_those_who_wait_are_told_in_their_order(full: None) -> None:
    [overview] = rate_overviews()
    assert [waiter.who for waiter in overview.waiting] == ["TPL-0007", "Batch “90 conversations”"]
    assert overview.longest_wait == pytest.approx(1, abs=0.9)
    assert overview.turn_in(overview.waiting[0]) == pytest.approx(WINDOW - 1, abs=2)
    assert [overview.waiting_with(priority) for priority in Priority] == [1, 0, 1]


def test_one_that_did_not_come_back_is_not_told(full: None) -> None:
    pass_time(5)
    assert rate_overviews()[0].waiting == []


def test_what_counts_no_more_is_not_told(full: None) -> None:
    pass_time(WINDOW)
    assert [use.used for use in rate_overviews()[0].uses] == [0, 0, 0]


def test_that_claude_asked_to_wait_is_told() -> None:
    fail(one(limit(2)), RateLimited(retry_after=30))
    [overview] = rate_overviews()
    assert overview.blocked_for == pytest.approx(30, abs=1)
    assert overview.state.refused == 1


# The command.


def _told(**options: Any) -> str:
    written = StringIO()
    call_command("rate_limit", stdout=written, **options)
    return written.getvalue()


def test_the_command_tells_it_in_words(full: None) -> None:
    told = _told()
    assert "requests      2 of 2, 0 left" in told
    assert "input tokens  1,400 of 100,000, 98,600 left" in told
    assert "output tokens no limit known" in told
    assert "waits: TPL-0007, high priority, for 0 s, next in" in told
    assert "key" not in told.replace(f"key {RateState.objects.get().key[:6]}", "")


def test_the_command_tells_that_claude_asked_to_wait_and_that_nobody_waits() -> None:
    fail(one(limit(2)), RateLimited(retry_after=30))
    assert "Claude asked everybody to wait: 30 s more." in _told()
    assert "Nobody waits." in _told()


def test_the_command_tells_when_there_is_nothing_to_tell() -> None:
    assert _told() == "No request was ever sent.\n"
    assert json.loads(_told(json=True)) == []


def test_the_command_tells_it_to_scripts(full: None) -> None:
    [told] = json.loads(_told(json=True))
    assert told["requests"] == {"limit": 2, "used": 2, "left": 0}
    assert [waiter["who"] for waiter in told["waiting"]] == ["TPL-0007", "Batch “90 conversations”"]


# The page.


def _page(client: Client) -> str:
    return client.get(page_of(RateState.objects.get())).content.decode()


def test_the_list_and_the_page_say_it(full: None, admin_client: Client) -> None:
    listed = admin_client.get(list_of(RateState)).content.decode()
    assert "1,400 of 100,000" in listed and "2, for" in listed
    page = _page(admin_client)
    assert "Batch “90 conversations”" in page and "Request limit" in page and "no limit known" in page


def test_the_page_says_that_all_wait_and_that_nobody_does(admin_client: Client) -> None:
    fail(one(limit(2)), RateLimited(retry_after=30))
    assert "Claude asked for it" in _page(admin_client)
    assert "Nobody waits." in _page(admin_client)


def test_what_other_workspaces_work_on_is_not_told() -> None:
    ours, theirs = WorkspaceFactory(), WorkspaceFactory()
    granted(limit(1))
    for workspace, who in ((ours, "Batch of ours"), (theirs, "Batch of theirs")):
        waits(limit(1, who=who, workspace=workspace.pk))
    page = _page(member(ours, "operator"))
    assert "Batch of ours" in page
    assert "Batch of theirs" not in page and "another workspace" in page


@pytest.mark.parametrize("role", ["curator", "reviewer"])
def test_only_those_who_operate_see_it(role: str) -> None:
    workspace = WorkspaceFactory()
    one(limit(1))
    state = RateState.objects.get()
    for client in (member(workspace, role), outsider()):
        assert client.get(list_of(RateState)).status_code == 403
        assert client.get(page_of(state)).status_code == 403


def test_it_is_only_looked_at(admin_client: Client) -> None:
    one(limit(1))
    state = RateState.objects.get()
    assert admin_client.get(add_to(RateState)).status_code == 403
    assert admin_client.post(page_of(state), {"address": "elsewhere"}).status_code == 403
    assert admin_client.post(page_of(state, "delete"), {"post": "yes"}).status_code == 403


def test_the_database_shows_it_in_every_scope(full: None) -> None:
    with workspace_scope(Workspace(pk=uuid4()).pk):
        assert len(rate_overviews()) == 1
