"""`manage.py create_api_token`, the page *API tokens*, and what is forgotten."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from convgen import tokens
from convgen.models import ApiToken, User
from tests.admin_pages import browser_of
from tests.api_client import Api
from tests.factories import UserFactory

LIST = "admin:convgen_apitoken_changelist"
CREATE = "admin:convgen_apitoken_add"


@pytest.fixture
def anna(db: None) -> User:
    return UserFactory(username="anna", is_staff=True)


@pytest.fixture
def browser(anna: User) -> Client:
    return browser_of(anna)


def _told(*arguments: str) -> list[str]:
    written = StringIO()
    call_command("create_api_token", *arguments, stdout=written)
    return written.getvalue().splitlines()


def _lets_in(token: str) -> bool:
    status: int = Api().get("tokens/", headers={"Authorization": f"Bearer {token}"}).status_code
    return status == 200


def test_the_command_says_what_it_is_and_has_the_token_alone_on_the_last_line(anna: User) -> None:
    said, token = _told("anna", "--days", "7")
    end = timezone.localtime(ApiToken.objects.get().expiry)
    assert said == f"The API token of anna, valid until {end:%Y-%m-%d %H:%M} UTC. It is not shown again:"
    assert (end - timezone.now()).days in (6, 7)
    assert re.fullmatch(r"convgen_[0-9a-f]{64}", token)
    assert _lets_in(token)


def test_without_days_it_is_valid_as_long_as_the_setting_says(anna: User, settings: Any) -> None:
    settings.API_TOKEN_DAYS = 3
    _told("anna")
    assert (ApiToken.objects.get().expiry - timezone.now()).days in (2, 3)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ben"], "There is no user 'ben'. Give the name with which she signs in."),
        (["anna", "--days", "0"], "--days must be from 1 to 3650."),
        (["anna", "--days", "3651"], "--days must be from 1 to 3650."),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(anna: User, arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=re.escape(told)):
        _told(*arguments)
    assert not ApiToken.objects.exists()


def test_who_is_not_active_gets_none(anna: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="The account anna is not active"):
        _told("anna")


def test_tokens_that_ended_long_ago_are_forgotten_when_one_is_made(anna: User) -> None:
    of_late, _text = tokens.create(anna)
    long_ago, _text = tokens.create(UserFactory())
    ApiToken.objects.filter(pk=of_late.pk).update(expiry=timezone.now() - tokens.REMEMBERED / 2)
    ApiToken.objects.filter(pk=long_ago.pk).update(expiry=timezone.now() - tokens.REMEMBERED * 2)
    made, _text = tokens.create(anna)
    assert set(ApiToken.objects.all()) == {of_late, made}


def test_whoever_is_let_in_makes_a_token_on_the_page_and_sees_it_once(browser: Client, anna: User) -> None:
    page = browser.get(reverse("admin:index")).content.decode()
    assert reverse(LIST) in page
    assert "For how many days" in browser.get(reverse(CREATE)).content.decode()
    response = browser.post(reverse(CREATE), {"days": "30"})
    assert "no-store" in response["Cache-Control"]
    (token,) = re.findall(r"convgen_[0-9a-f]{64}", response.content.decode())
    assert _lets_in(token)
    assert ApiToken.objects.get().user == anna
    listed = browser.get(reverse(LIST)).content.decode()
    assert token not in listed
    assert token[:15] in listed


def test_a_wrong_number_of_days_is_told_on_the_page(browser: Client) -> None:
    page = browser.post(reverse(CREATE), {"days": "0"}).content.decode()
    assert "greater than or equal to 1" in page
    assert not ApiToken.objects.exists()


def test_too_many_tokens_are_told_on_the_page(browser: Client, anna: User) -> None:
    for _ in range(tokens.MOST):
        tokens.create(anna)
    assert "Revoke one that is not used." in browser.post(reverse(CREATE), {"days": "1"}).content.decode()


def _revoke(browser: Client, token: ApiToken) -> int:
    return browser.post(reverse("admin:convgen_apitoken_delete", args=[token.pk]), {"post": "yes"}).status_code


def test_a_person_sees_and_revokes_her_own_alone(browser: Client, anna: User) -> None:
    hers, text = tokens.create(anna)
    other, other_text = tokens.create(UserFactory(username="ben"))
    page = browser.get(reverse(LIST)).content.decode()
    assert str(hers) in page
    assert str(other) not in page
    assert _revoke(browser, other) == 302  # to the index, with a message: there is none
    browser.post(reverse(LIST), {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"})
    assert _lets_in(other_text)
    assert _revoke(browser, hers) == 302
    assert not _lets_in(text)


def test_a_superuser_sees_and_revokes_everybody_s(admin_client: Client, anna: User) -> None:
    token, text = tokens.create(anna)
    page = admin_client.get(reverse(LIST)).content.decode()
    assert str(token) in page
    assert "anna" in page
    assert (
        token.digest not in admin_client.get(reverse("admin:convgen_apitoken_change", args=[token.pk])).context["title"]
    )
    admin_client.post(reverse(LIST), {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"})
    assert not _lets_in(text)


def test_nobody_changes_a_token(admin_client: Client, anna: User) -> None:
    token, _text = tokens.create(anna)
    page = reverse("admin:convgen_apitoken_change", args=[token.pk])
    assert admin_client.post(page, {"expiry": "2099-01-01"}).status_code == 403
    assert "_save" not in admin_client.get(page).content.decode()


def test_knox_s_own_page_is_gone(admin_client: Client) -> None:
    assert admin_client.get("/admin/knox/authtoken/").status_code == 404


def test_a_changed_password_ends_the_tokens_and_the_form_says_so(browser: Client, anna: User) -> None:
    anna.set_password("the former one")
    anna.save()
    _token, text = tokens.create(anna)
    browser.force_login(anna)
    page = reverse("admin:password_change")
    assert "Your API tokens end with your old password." in browser.get(page).content.decode()
    words = "a quite new one 4711"
    given = {"old_password": "the former one", "new_password1": words, "new_password2": words}
    assert browser.post(page, given).status_code == 302
    assert not _lets_in(text)


def test_signing_in_ends_no_token(anna: User) -> None:
    anna.set_password("the one")
    anna.save()
    _token, text = tokens.create(anna)
    assert Client().login(username="anna", password="the one")
    assert _lets_in(text)
