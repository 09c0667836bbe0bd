"""The task queue's lists: in words, and for superusers alone."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.tasks import async_task

from batches.admin_tasks import in_words
from conversations.models import Workspace
from tests.admin_pages import list_of, member, run

pytestmark = pytest.mark.django_db

LISTS = (Failure, OrmQ, Schedule, Success)


def ended(**values: Any) -> Task:
    now = timezone.now()
    return Task.objects.create(func="batches.tasks.run_slice", started=now, stopped=now, **values)


@pytest.mark.parametrize("model", LISTS)
def test_each_list_says_what_it_is_for(admin_client: Client, model: Any) -> None:
    page = admin_client.get(list_of(model))
    assert page.context["cl"].model_admin.purpose in page.content.decode()


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("role", ["curator", "lead", "operator"])
def test_they_are_for_superusers(workspace: Workspace, model: Any, role: str) -> None:
    assert member(workspace, role).get(list_of(model)).status_code == 403


def test_a_failure_is_told_by_the_last_line_of_its_error(admin_client: Client) -> None:
    ended(id="f" * 32, name="one", success=False, result="Traceback\n  File …\nValueError: no such batch\n")
    page = admin_client.get(list_of(Failure)).content.decode()
    assert "Run slice" in page and "ValueError: no such batch" in page and "Traceback" not in page


def test_what_failed_is_queued_again_from_the_list(admin_client: Client) -> None:
    failed = ended(id="f" * 32, name="one", success=False, args=("7",))
    run(admin_client, "resubmit_task", [Failure.objects.get(pk=failed.pk)])
    assert OrmQ.objects.get().args() == ("7",)
    assert not Failure.objects.exists()


def test_what_waits_is_named(admin_client: Client) -> None:
    async_task("batches.tasks.collect", "7")
    assert "Collect" in admin_client.get(list_of(OrmQ)).content.decode()


@pytest.mark.parametrize(("func", "words"), [("batches.tasks.run_slice", "Run slice"), (None, "Unreadable")])
def test_a_function_is_put_in_words(func: Any, words: str) -> None:
    assert in_words(func) == words
