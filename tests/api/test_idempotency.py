"""Requests that are sent twice at the same moment."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from batches.models import BatchItem, BatchJob
from conversations.models import IdempotencyKey
from convgen.tenancy import EVERY, workspace_scope
from tests.api_client import Api, api_as
from tests.background import in_background
from tests.factories import ConversationFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 6


def _side_by_side(client: Api, path: str, body: Any, headers: list[dict[str, str]]) -> list[Any]:
    """The answers to requests that start together, each on a connection of its own."""
    start = threading.Barrier(len(headers))
    answers: list[Any] = []

    def ask(sent: dict[str, str]) -> None:
        try:
            start.wait(timeout=10)
            answers.append(client.post(path, body, headers=sent))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask, args=[sent]) for sent in headers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == len(headers)
    return answers


@pytest.fixture
def curator() -> Api:
    workspace = WorkspaceFactory()
    ConversationFactory.create_batch(3, workspace=workspace)
    return api_as("curator", workspace)


@pytest.mark.parametrize("path", ["batches/", "conversations/generate-batch/"])
def test_identical_requests_with_one_key_start_one_batch(curator: Api, path: str) -> None:
    answers = _side_by_side(curator, path, {"selection": "drafts"}, [{"Idempotency-Key": "monday"}] * AT_ONCE)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
    with workspace_scope(EVERY):
        assert (BatchJob.objects.count(), BatchItem.objects.count(), IdempotencyKey.objects.count()) == (1, 3, 1)


def test_old_keys_that_a_long_request_deletes_are_waited_for_by_nobody(curator: Api) -> None:
    order, answers = {"selection": "drafts"}, []
    assert curator.post("batches/", order, headers={"Idempotency-Key": "monday"}).status_code == 201
    with workspace_scope(EVERY):
        IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
        with transaction.atomic():
            IdempotencyKey.objects.all().delete()
            asked = in_background(
                lambda: answers.append(curator.post("batches/", order, headers={"Idempotency-Key": "tuesday"}))
            )
            asked.join(timeout=10)
            assert [answer.status_code for answer in answers] == [409]  # nothing is left to generate
        asked.join(timeout=20)


def test_without_a_key_each_is_a_request_of_its_own(curator: Api) -> None:
    answers = _side_by_side(curator, "batches/", {"selection": "drafts"}, [{}, {}])
    assert sorted(answer.status_code for answer in answers) == [201, 409]  # the second finds nothing left


def test_keys_of_two_workspaces_are_not_the_same(curator: Api) -> None:
    elsewhere = WorkspaceFactory()
    other = api_as("curator", elsewhere)
    ConversationFactory(workspace=elsewhere)
    key = {"Idempotency-Key": "monday"}
    first = curator.post("batches/", {"selection": "drafts"}, headers=key)
    second = other.post("batches/", {"selection": "drafts"}, headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
