"""The frame of every page: its navigation, its policy, and what a page is when a dialog asks for it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.choices import Role
from convgen.models import User
from convgen.navigation import PLACES
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

IN_DIALOG = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "dialog-body"}


@pytest.fixture
def navigated(client: Client) -> Any:
    """The navigation of a page, as a member of a workspace in a role sees it: label → (address, whether it is here)."""

    def seen(path: str, role: Role = Role.LEAD) -> dict[str, tuple[str, bool]]:
        membership = MembershipFactory(role=role, user__is_staff=True)
        client.force_login(membership.user)
        page = client.get(path)
        assert page.status_code == 200
        nav = page.content.decode().split('<nav id="navigation"')[1].split("</nav>")[0]
        links = re.findall(r'<a href="([^"]*)"[^>]*?( aria-current="page")?>.*?<span>(.*?)</span>', nav)
        return {label: (address.replace("&amp;", "&"), bool(here)) for address, here, label in links}

    return seen


def test_a_lead_is_led_everywhere(navigated: Any) -> None:
    assert list(navigated("/admin/settings/")) == [place.label for place in PLACES]


def test_a_role_is_led_to_what_it_may_open(navigated: Any) -> None:
    assert "Review" not in navigated("/admin/settings/", Role.OPERATOR)
    assert "Conversations" in navigated("/admin/settings/", Role.OPERATOR)


def test_who_may_see_nothing_yet_is_led_to_what_asks_for_no_permission(client: Client) -> None:
    client.force_login(User.objects.create_user("newcomer", is_staff=True))
    nav = client.get("/admin/settings/").content.decode().split('<nav id="navigation"')[1].split("</nav>")[0]
    assert re.findall(r"<span>(.*?)</span>", nav) == ["Dashboard", "Settings"]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/admin/conversations/conversation/", "Conversations"),
        ("/admin/conversations/conversation/?status__exact=failed", "Conversations"),
        ("/admin/conversations/conversation/?status__exact=pending_review&o=4", "Review"),
        ("/admin/batches/batchitem/", "Batches"),
        ("/admin/conversations/chunk/", "Sources"),
        ("/admin/conversations/dimension/", "Settings"),
        ("/admin/settings/", "Settings"),
        ("/admin/coverage/", "Coverage"),
    ],
)
def test_the_page_knows_its_place(navigated: Any, path: str, label: str) -> None:
    assert [name for name, (_address, here) in navigated(path).items() if here] == [label]


def test_no_two_places_have_one_key() -> None:
    keys = [place.key for place in PLACES]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {1}
    assert "g" not in keys


def test_every_page_has_the_policy(client: Client, admin_client: Client) -> None:
    for answer in (client.get("/admin/login/"), admin_client.get("/admin/settings/"), admin_client.get("/nowhere/")):
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in f"{policy};"
        assert "style-src 'self';" in f"{policy};"
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "nonce" not in policy


def test_a_page_that_is_not_there_says_so_in_our_look(admin_client: Client) -> None:
    answer = admin_client.get("/admin/nowhere/")
    assert answer.status_code == 404
    assert "This page is not there" in answer.content.decode()


def test_the_settings_page_lists_what_there_is(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:settings")).content.decode()
    assert reverse("admin:conversations_dimension_changelist") in page
    assert reverse("admin:conversations_workspace_add") in page


def test_a_member_of_nothing_is_told_whom_to_ask(client: Client) -> None:
    client.force_login(User.objects.create_user("newcomer", is_staff=True))
    page = client.get(reverse("admin:settings")).content.decode()
    assert "Ask the lead of a workspace to add you" in page
    assert "newcomer" in page


def test_a_dialog_gets_the_content_without_the_frame(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:keyboard")).content.decode()
    within = admin_client.get(reverse("admin:keyboard"), **IN_DIALOG).content.decode()  # type: ignore[arg-type]
    assert "<!DOCTYPE html>" in page and 'id="navigation"' in page
    assert "<!DOCTYPE html>" not in within and 'id="navigation"' not in within
    assert 'id="dialog-title"' in within
    assert "search the list" in page and "search the list" in within


def test_keyboard_help_asks_for_a_login(client: Client) -> None:
    assert client.get(reverse("admin:keyboard")).status_code == 302
