"""`manage.py ensure_admin` and `manage.py stop`."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from convgen.models import User


def _told(command: str) -> str:
    written = StringIO()
    call_command(command, stdout=written)
    return written.getvalue().strip()


def _password_of(told: str) -> str:
    return told.rpartition("password ")[2]


@pytest.mark.django_db
def test_a_given_password_is_used_and_not_repeated(settings: Any) -> None:
    settings.CONVGEN_ADMIN_PASSWORD = "a given password"
    assert _told("ensure_admin") == "Sign in as admin with the password in CONVGEN_ADMIN_PASSWORD."
    admin = User.objects.get(username="admin")
    assert admin.check_password("a given password")
    assert admin.is_staff
    assert admin.is_superuser


@pytest.mark.django_db
def test_a_new_given_password_replaces_the_former(settings: Any) -> None:
    settings.CONVGEN_ADMIN_PASSWORD = "the first"
    _told("ensure_admin")
    settings.CONVGEN_ADMIN_PASSWORD = "the second"
    _told("ensure_admin")
    assert User.objects.get().check_password("the second")


@pytest.mark.django_db
def test_without_one_a_password_is_made_and_told_again_the_next_time(settings: Any) -> None:
    settings.CONVGEN_ADMIN_PASSWORD = ""
    told = _told("ensure_admin")
    assert User.objects.get().check_password(_password_of(told))
    assert _told("ensure_admin") == told


@pytest.mark.django_db
def test_a_password_that_was_changed_is_neither_told_nor_touched(settings: Any) -> None:
    settings.CONVGEN_ADMIN_PASSWORD = ""
    made = _password_of(_told("ensure_admin"))
    admin = User.objects.get()
    admin.set_password("my own")
    admin.save()
    told = _told("ensure_admin")
    assert told == "Sign in as admin with the password that you have set."
    assert made not in told
    assert User.objects.get().check_password("my own")


@pytest.mark.django_db
def test_a_password_given_once_is_not_revealed_when_it_is_given_no_more(settings: Any) -> None:
    settings.CONVGEN_ADMIN_PASSWORD = "a given password"
    _told("ensure_admin")
    settings.CONVGEN_ADMIN_PASSWORD = ""
    assert _told("ensure_admin") == "Sign in as admin with the password that you have set."


@pytest.mark.django_db
def test_another_account_is_left_as_it_is(settings: Any) -> None:
    settings.CONVGEN_ADMIN_PASSWORD = "a given password"
    curator = User.objects.create_user("curator", password="hers")
    _told("ensure_admin")
    curator.refresh_from_db()
    assert curator.check_password("hers")
    assert not curator.is_superuser


def test_stop_says_so_when_there_is_nothing_to_stop() -> None:
    assert _told("stop") == "Nothing was running."
