"""`GET conversations/{id}/status/`: how far a conversation is, and that it costs little to ask."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from batches.models import BatchItem
from conversations.models import Conversation, Workspace
from generation.models import RateWaiter
from tests.api_client import Api, problems
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ConversationFactory,
    GenerationLogFactory,
    MessageBatchFactory,
)

pytestmark = pytest.mark.django_db


def of(api: Api, conversation: Conversation) -> dict[str, Any]:
    answer = api.get(f"conversations/{conversation}/status/")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def a_conversation(workspace: Workspace, **values: Any) -> Conversation:
    made: Conversation = ConversationFactory(workspace=workspace, **values)
    return made


def begun(workspace: Workspace, seconds: float, **values: Any) -> Conversation:
    """One that Claude has been writing for so many seconds."""
    expires = timezone.now() + timedelta(minutes=1)
    made = a_conversation(workspace, status="generating", claim=uuid4(), claim_expires_at=expires, **values)
    since = timezone.now() - timedelta(seconds=seconds)
    Conversation.objects.filter(pk=made.pk).update(updated_at=since)
    return made


def test_what_waits_for_nobody_is_at_rest(operator: Api, workspace: Workspace) -> None:
    told = of(operator, a_conversation(workspace))
    assert (told["status"], told["percentage"], told["batch"], told["seconds_remaining"]) == ("draft", 0, None, None)
    assert told["batch_url"] is None
    assert of(operator, a_conversation(workspace, status="approved", turn_count=8))["percentage"] == 100
    assert of(operator, a_conversation(workspace, status="archived", turn_count=8))["percentage"] == 100
    assert of(operator, a_conversation(workspace, status="archived"))["percentage"] == 0


def test_a_failure_is_told_with_the_next_step(operator: Api, workspace: Workspace) -> None:
    failed = a_conversation(workspace, status="failed", failure_type="reply_refused", failure_message="Declined.")
    assert of(operator, failed)["failure"] == {
        "type": "reply_refused",
        "message": "Declined.",
        "next_step": "Reword the template or choose another topic, then try them again.",
        "worth_retrying": False,
    }


def test_while_claude_writes_it_the_percentage_is_that_of_the_usual_time(operator: Api, workspace: Workspace) -> None:
    told = of(operator, begun(workspace, 11))
    assert (told["percentage"], told["seconds_remaining"], told["current_step"]) == (50, 10, "Claude writes it.")
    late = of(operator, begun(workspace, 100))
    assert (late["percentage"], late["seconds_remaining"]) == (95, None)
    assert "longer than usual" in late["current_step"]


def test_the_usual_time_is_the_templates_where_the_log_has_it(operator: Api, workspace: Workspace) -> None:
    writing = begun(workspace, 11, template__workspace=workspace)
    GenerationLogFactory(
        conversation=writing,
        template=writing.template,
        model="simulated-claude-sonnet-5-5",
        duration_ms=40_000,
        output_tokens=10,
    )
    assert of(operator, writing)["percentage"] == 25


def test_one_that_waits_in_a_batch_knows_what_comes_before_it(operator: Api, workspace: Workspace) -> None:
    job = BatchJobFactory(workspace=workspace, status="processing", seconds_per_item=4.0)
    BatchItemFactory(job=job, status="completed")
    BatchItemFactory(job=job, status="processing")
    BatchItemFactory(job=job)
    mine = BatchItemFactory(job=job)
    BatchItemFactory(job=job)
    told = of(operator, mine.conversation)
    assert (told["batch"], told["items_before"], told["percentage"]) == (str(job.pk), 2, 0)
    assert told["current_step"] == "It waits in its batch, behind 2 conversations."
    assert told["seconds_remaining"] == 2 * 4 + 20
    assert told["batch_url"] == f"http://testserver/api/batches/{job.pk}/"


def test_of_a_paused_batch_nobody_knows_when_it_will_be_done(operator: Api, workspace: Workspace) -> None:
    job = BatchJobFactory(workspace=workspace, status="paused", status_reason="Your key was refused.")
    told = of(operator, BatchItemFactory(job=job, conversation__status="failed").conversation)
    assert (told["status"], told["seconds_remaining"]) == ("failed", None)
    assert told["current_step"] == "Its batch is paused. Your key was refused."


def test_with_economy_delivery_no_time_is_promised(operator: Api, workspace: Workspace) -> None:
    sent = MessageBatchFactory(job=BatchJobFactory(workspace=workspace, delivery="economy", status="processing"))
    writing = begun(workspace, 100)
    BatchItemFactory(job=sent.job, conversation=writing, status="processing", message_batch=sent)
    told = of(operator, writing)
    assert (told["percentage"], told["seconds_remaining"]) == (0, None)
    assert "economy delivery" in told["current_step"]


def test_a_wait_for_the_rate_limit_is_told(operator: Api, workspace: Workspace) -> None:
    writing = begun(workspace, 1)
    writing.refresh_from_db()
    RateWaiter.objects.create(
        key="k",
        who=writing.conversation_id,
        of_workspace=workspace.pk,
        priority="high",
        wanted=1,
        reason="requests",
        since=timezone.now(),
        until=writing.updated_at + timedelta(seconds=30),
        asks_at=timezone.now(),
    )
    assert of(operator, writing)["current_step"] == "It waits (request limit): next request in 30 s."


def test_what_has_not_changed_is_an_empty_answer(operator: Api, workspace: Workspace) -> None:
    written = a_conversation(workspace, status="generated", turn_count=8)
    path = f"conversations/{written}/status/"
    first = operator.get(path)
    assert first["Cache-Control"] == "private, max-age=2"
    assert "Authorization" in first["Vary"]
    for known in (first["ETag"], f'W/{first["ETag"]}, "other"', "*"):
        same = operator.get(path, HTTP_IF_NONE_MATCH=known)
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    assert operator.get(path, HTTP_IF_NONE_MATCH='"other"').status_code == 200
    written.status = "approved"
    written.save()
    assert operator.get(path, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


def test_while_claude_writes_it_figures_are_renewed_every_five_seconds(operator: Api, workspace: Workspace) -> None:
    writing = begun(workspace, 11)
    path = f"conversations/{writing}/status/"
    first = operator.get(path)
    assert operator.get(path, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    earlier = writing.updated_at - timedelta(seconds=17)
    Conversation.objects.filter(pk=writing.pk).update(updated_at=earlier)
    assert operator.get(path, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


@pytest.mark.parametrize(("status", "looks"), [("generated", 0), ("archived", 0), ("generating", 0), ("draft", 1)])
def test_only_what_may_wait_is_looked_for_in_batches(
    operator: Api, workspace: Workspace, status: str, looks: int
) -> None:
    conversation = begun(workspace, 11) if status == "generating" else a_conversation(workspace, status=status)
    path = f"conversations/{conversation}/status/"
    etag = operator.get(path)["ETag"]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert operator.get(path, HTTP_IF_NONE_MATCH=etag).status_code == 304
    assert sum(BatchItem._meta.db_table in query["sql"] for query in asked) == looks


def test_that_a_batch_takes_it_or_pauses_changes_the_answer(operator: Api, workspace: Workspace) -> None:
    draft = a_conversation(workspace)
    path = f"conversations/{draft}/status/"
    etag = operator.get(path)["ETag"]
    item = BatchItemFactory(job=BatchJobFactory(workspace=workspace, status="processing"), conversation=draft)
    waiting = operator.get(path, HTTP_IF_NONE_MATCH=etag)
    assert waiting.status_code == 200
    item.job.status = "paused"
    item.job.save()
    assert operator.get(path, HTTP_IF_NONE_MATCH=waiting["ETag"]).status_code == 200


def test_another_workspaces_is_not_there(operator: Api, elsewhere: Workspace) -> None:
    foreign = a_conversation(elsewhere)
    assert problems(operator.get(f"conversations/{foreign.pk}/status/"), 404) == {None: "not_found"}
    assert problems(operator.get("conversations/TPL-nothing/status/"), 404) == {None: "not_found"}
