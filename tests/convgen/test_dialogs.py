import json
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from convgen import dialogs


def test_a_dialog_is_told_from_a_page_and_from_another_part_of_one() -> None:
    ask = RequestFactory().get
    assert dialogs.in_dialog(ask("/", headers={"HX-Request": "true", "HX-Target": "dialog-body"}))
    assert not dialogs.in_dialog(ask("/", headers={"HX-Request": "true", "HX-Target": "progress"}))
    assert not dialogs.in_dialog(ask("/"))


def test_leaving_a_dialog_is_no_redirect_within_it() -> None:
    ask = RequestFactory().post
    left = dialogs.leave(ask("/", headers={"HX-Request": "true", "HX-Target": "dialog-body"}), "/admin/")
    assert (left.status_code, left.headers["HX-Redirect"]) == (200, "/admin/")
    page = dialogs.leave(ask("/"), "/admin/")
    assert (page.status_code, page.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("level", ["success", "error"])
def test_an_answer_may_say_something_and_that_the_page_behind_is_stale(level: dialogs.Level) -> None:
    answer = dialogs.toast(dialogs.changed(HttpResponse()), "Saved.", level)
    assert json.loads(answer.headers["HX-Trigger"]) == {
        "page-is-stale": {},
        "toast": {"text": "Saved.", "level": level},
    }


@pytest.mark.django_db
def test_what_cannot_be_shown_is_said_in_the_dialog_without_a_frame_in_the_frame(admin_client: Client) -> None:
    headers: Any = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "dialog-body"}
    answer = admin_client.get(f"/admin/batches/batchjob/{uuid4()}/summary/", **headers)
    assert answer.status_code == 404
    assert answer.content.decode().count('id="dialog-title"') == 1 and "<html" not in answer.content.decode()
