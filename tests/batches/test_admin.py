"""The pages of batches and items, and steering a batch. Beginning one is in `test_admin_planning.py`."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from batches.models import BatchItem, BatchJob
from conversations.models import Conversation, Workspace
from tests.admin_pages import list_of, listed, member, page_of, run
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ConversationFactory,
    GenerationLogFactory,
    UserFactory,
    batch_of,
)
from tests.statuses import put

pytestmark = pytest.mark.django_db

ENDED = ("completed", "failed", "cancelled")


def job(workspace: Workspace, status: str = "processing", **values: Any) -> BatchJob:
    return BatchJobFactory(workspace=workspace, status=status, name=f"The {status} one", **values)


# --- Looking


def test_an_item_is_found_by_its_conversation_and_its_batch(admin_client: Client, workspace: Workspace) -> None:
    item = BatchItemFactory(
        job=job(workspace), conversation=ConversationFactory(workspace=workspace, conversation_id="EDG-0007")
    )
    BatchItemFactory(job__name="Another")
    for words in ("EDG-0007", " edg-0007", "the processing", "PROCESSING"):
        assert listed(admin_client, BatchItem, q=words) == {item.pk}
    assert listed(admin_client, BatchItem, q="EDG") == set()
    assert len(listed(admin_client, BatchItem, q=" ")) == 2


def test_the_list_tells_progress_failures_and_who_started_it(operator: Client, workspace: Workspace) -> None:
    started = {"created_by": UserFactory(username="mona"), "status_reason": "Paused by mona."}
    batch_of("completed", "completed", "failed", "queued", workspace=workspace, **started)
    page = operator.get(list_of(BatchJob)).content.decode()
    for shown in ("3/4", "mona", "Paused by mona.", "status__exact=failed"):
        assert shown in page


def test_the_page_tells_the_reason_the_results_and_why_items_failed(operator: Client, workspace: Workspace) -> None:
    stopped = job(workspace, "failed", status_reason="Stopped at the first failure.")
    BatchItemFactory(job=stopped, status="failed", error_type="overloaded", error_message="Claude is overloaded.")
    made = ConversationFactory(workspace=workspace, status="generated", simulated=True, quality_score="8.4")
    BatchItemFactory(job=stopped, conversation=made, status="completed")
    GenerationLogFactory(conversation=made, cache_saving_usd="-0.0012")
    page = operator.get(page_of(stopped)).content.decode()
    assert "Stopped at the first failure." in page
    assert "Claude is overloaded." in page and "Try them again in a while" in page
    assert "8.4" in page
    assert "The prompt cache cost $0.0012 more than it saved." in page
    assert "1 conversation was written by simulated Claude" in " ".join(page.split())
    assert f"?job__id__exact={stopped.pk}&amp;status__exact=failed" in page


def test_the_page_tells_how_claude_is_asked(operator: Client, workspace: Workspace) -> None:
    page = operator.get(page_of(job(workspace, "completed", model=""))).content.decode()
    assert "As templates, workspace and settings say." in page
    assert "3 for a conversation at most, as long as the settings allow. Waits: exponential: 1, 2, 4, 8, 16 s." in page
    own = {"model": "claude-sonnet-4-6", "temperature": "0.70", "max_attempts": 1, "request_timeout": 60}
    page = operator.get(page_of(job(workspace, "completed", **own))).content.decode()
    assert "claude-sonnet-4-6, temperature 0.70" in page
    assert "1 for a conversation, 60 s each." in page


def test_items_are_listed_by_job_and_status_with_their_sentence(workspace: Workspace) -> None:
    client = member(workspace, "operator")
    mine, other = job(workspace), job(workspace, "paused")
    failed = BatchItemFactory(job=mine, status="failed", error_type="timed_out", error_message="No answer in time.")
    BatchItemFactory(job=mine, status="completed")
    BatchItemFactory(job=other, status="failed")
    assert listed(client, BatchItem, job__id__exact=mine.pk, status__exact="failed") == {failed.pk}
    assert "No answer in time." in client.get(list_of(BatchItem)).content.decode()
    assert '<p class="errornote">No answer in time.</p>' in client.get(page_of(failed)).content.decode()


def test_the_conversations_of_a_batch_are_listed(admin_client: Client, workspace: Workspace) -> None:
    item = BatchItemFactory(job=job(workspace))
    ConversationFactory(workspace=workspace)
    assert listed(admin_client, Conversation, batch=item.job_id) == {item.conversation_id}
    assert listed(admin_client, Conversation, batch=uuid4()) == set()
    assert listed(admin_client, Conversation, batch="nonsense") == set()


def test_items_are_not_edited_nor_deleted_by_themselves(admin_client: Client, workspace: Workspace) -> None:
    item = BatchItemFactory(job=job(workspace))
    assert admin_client.post(page_of(item), {"status": "completed"}).status_code == 403
    assert admin_client.post(page_of(item, "delete"), {"post": "yes"}).status_code == 403


# --- Deleting


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_batch_is_deleted_with_its_items(lead: Client, workspace: Workspace, status: str) -> None:
    item = BatchItemFactory(job=job(workspace, status), status="completed")
    assert lead.post(page_of(item.job, "delete"), {"post": "yes"}).status_code == 302
    assert not BatchItem.objects.exists()
    assert Conversation.objects.filter(pk=item.conversation_id).exists()


@pytest.mark.parametrize("status", ["queued", "processing", "paused"])
def test_an_unfinished_batch_is_not_deleted(lead: Client, workspace: Workspace, status: str) -> None:
    unfinished, ended = job(workspace, status), job(workspace, "completed")
    assert lead.post(page_of(unfinished, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [unfinished.pk, ended.pk], "post": "yes"}
    assert f"The {status} one ({status})" in lead.post(list_of(BatchJob), chosen).content.decode()
    assert BatchJob.objects.count() == 2


def test_an_operator_deletes_no_batch(operator: Client, workspace: Workspace) -> None:
    ended = job(workspace, "completed")
    assert operator.post(page_of(ended, "delete"), {"post": "yes"}).status_code == 403
    assert BatchJob.objects.exists()


def test_a_conversation_that_a_batch_is_at_is_not_deleted(admin_client: Client, workspace: Workspace) -> None:
    item = BatchItemFactory(job=job(workspace))
    page = page_of(item.conversation, "delete")
    admin_client.post(page, {"post": "yes"})
    assert Conversation.objects.filter(pk=item.conversation_id).exists()
    put(item, "completed")
    assert admin_client.post(page, {"post": "yes"}).status_code == 302
    assert not Conversation.objects.filter(pk=item.conversation_id).exists()


# --- Steering


@pytest.mark.parametrize(
    ("action", "before", "after", "done"),
    [
        ("pause", "processing", "paused", "paused"),
        ("resume", "paused", "processing", "resumed"),
    ],
)
def test_a_batch_is_steered_and_one_in_the_wrong_state_refused(
    operator: Client, workspace: Workspace, action: str, before: str, after: str, done: str
) -> None:
    good, ended = job(workspace, before), job(workspace, "completed")
    told = run(operator, action, [good, ended])
    assert f"“The {before} one” is {done}." in told
    assert any(message.startswith(f"“The completed one” cannot be {done}: it is completed") for message in told)
    good.refresh_from_db()
    ended.refresh_from_db()
    assert (good.status, ended.status) == (after, "completed")


def test_a_pause_says_who_paused(operator: Client, workspace: Workspace) -> None:
    running = job(workspace)
    run(operator, "pause", [running])
    running.refresh_from_db()
    assert running.status_reason.startswith("Paused by curator")


def test_failed_items_are_queued_once_more(operator: Client, workspace: Workspace) -> None:
    running = job(workspace)
    failed = ConversationFactory(workspace=workspace, status="failed")
    item = BatchItemFactory(job=running, conversation=failed, status="failed")
    assert run(operator, "retry_failed_items", [running]) == [
        "1 failed item is queued once more in “The processing one”."
    ]
    item.refresh_from_db()
    assert item.status == "queued"


def test_an_item_whose_conversation_another_batch_is_at_is_not_retried(operator: Client, workspace: Workspace) -> None:
    failed = BatchItemFactory(job=job(workspace), status="failed")
    BatchItemFactory(job=job(workspace, "queued"), conversation=failed.conversation)
    (message,) = run(operator, "retry_failed_items", [failed.job])
    assert "no failed items that could be retried" in message


def test_nothing_to_retry_is_said_with_the_next_step(operator: Client, workspace: Workspace) -> None:
    running, ended = job(workspace), job(workspace, "completed")
    BatchItemFactory(job=ended, status="failed")
    told = run(operator, "retry_failed_items", [running, ended])
    assert "“The processing one” has no failed items that could be retried." in told
    assert any("has ended. " in message and f"of_batch={ended.pk}" in message for message in told)


# --- Cancelling


def ask_to_cancel(client: Client, jobs: list[BatchJob], **fields: Any) -> Any:
    keys = [each.pk for each in jobs]
    return client.post(list_of(BatchJob), {"action": "cancel_selected", "_selected_action": keys, **fields})


def statuses() -> list[str]:
    return list(BatchJob.objects.order_by("created_at").values_list("status", flat=True))


def test_cancelling_asks_first_and_names_what_is_left_out(operator: Client, workspace: Workspace) -> None:
    going = batch_of(*["queued"] * 12, workspace=workspace, status="queued", name="The queued one")
    ended = job(workspace, "completed")
    answer = ask_to_cancel(operator, [going, ended])
    page = answer.content.decode()
    assert answer.context["title"] == "Cancel “The queued one”?"
    assert answer.context["asked"].refused == {
        "“The completed one”": "Completed already, so there is nothing to cancel."
    }
    for words in ("12 conversations", "“The completed one”", "Let it go on", "1 stays as it is", ">Batches</a>"):
        assert words in page
    assert statuses() == ["queued", "completed"]


def test_what_was_agreed_to_is_cancelled_and_nothing_else(operator: Client, workspace: Workspace) -> None:
    jobs = [job(workspace, status) for status in ("queued", "processing", "paused", "completed")]
    other = job(workspace, "processing")
    assert len(run(operator, "cancel_selected", jobs)) == 3
    assert statuses() == ["cancelled", "cancelled", "cancelled", "completed", "processing"]
    assert other.name in str(operator.get(list_of(BatchJob)).content.decode())


def test_the_other_button_cancels_nothing(operator: Client, workspace: Workspace) -> None:
    going = job(workspace)
    agreed = ask_to_cancel(operator, [going]).context["asked"].fingerprint
    assert ask_to_cancel(operator, [going], agreed=agreed, cancel="yes").status_code == 302
    assert statuses() == ["processing"]


def test_a_batch_that_ended_meanwhile_is_asked_about_once_more(operator: Client, workspace: Workspace) -> None:
    jobs = [job(workspace, "processing"), job(workspace, "paused")]
    agreed = ask_to_cancel(operator, jobs).context["asked"].fingerprint
    BatchJob.objects.filter(pk=jobs[0].pk).update(status="completed")
    answer = ask_to_cancel(operator, jobs, agreed=agreed)
    assert answer.context["outdated"] and answer.context["title"] == "Cancel “The paused one”?"
    assert statuses() == ["completed", "paused"]


def test_batches_that_have_all_ended_cannot_be_cancelled(operator: Client, workspace: Workspace) -> None:
    answer = ask_to_cancel(operator, [job(workspace, status) for status in ENDED])
    assert answer.context["title"] == "None of these can be cancelled"
    assert "Cancel batch" not in answer.content.decode()


def test_batches_of_one_name_are_told_apart(operator: Client, workspace: Workspace) -> None:
    jobs = [job(workspace), job(workspace)]
    asked = ask_to_cancel(operator, jobs).context["asked"]
    assert set(asked.taken) == {f"“The processing one” ({str(each.pk)[:8]})" for each in jobs}
    assert asked.title == "Cancel 2 batches?"


@pytest.mark.parametrize("action", ["pause", "resume", "cancel_selected", "retry_failed_items"])
def test_who_may_only_look_does_not_steer(workspace: Workspace, action: str) -> None:
    client = member(workspace, "operator", without=["change_batchjob"])
    jobs = [job(workspace, status) for status in ("processing", "paused")]
    BatchItemFactory(job=jobs[0], status="failed")
    assert f'value="{action}"' not in client.get(list_of(BatchJob)).content.decode()
    client.post(list_of(BatchJob), {"action": action, "_selected_action": [each.pk for each in jobs]})
    assert set(BatchJob.objects.values_list("status", flat=True)) == {"processing", "paused"}
    assert BatchItem.objects.get().status == "failed"
