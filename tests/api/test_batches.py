"""Batches over the API: estimated, started, followed, steered."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from batches.models import BatchItem, BatchJob
from conversations.models import Workspace
from tests.api_client import Api, problems, told
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ConversationFactory,
    MessageBatchFactory,
    PromptTemplateFactory,
    batch_of,
)


@pytest.fixture
def drafts(workspace: Workspace) -> list[str]:
    """Readable ids of three drafts of one template."""
    template = PromptTemplateFactory(workspace=workspace, name="Emergency fund", target_count=0)
    return [
        each.conversation_id for each in ConversationFactory.create_batch(3, workspace=workspace, template=template)
    ]


def path_of(job: BatchJob, name: str = "") -> str:
    return f"batches/{job.pk}/{name}"


# Starting.


@pytest.mark.parametrize("path", ["conversations/generate-batch/", "batches/"])
def test_a_batch_is_started_by_tier_and_selection(curator: Api, drafts: list[str], path: str) -> None:
    order = {"tier": "template", "selection": "drafts", "concurrency": 5, "budget_usd": "2.50", "name": "First"}
    response = curator.post(path, order)
    body = response.json()
    assert (response.status_code, body["job_id"], body["status"], body["total"]) == (201, body["id"], "queued", 3)
    assert (body["budget_usd"], body["concurrency"], body["name"]) == ("2.500000", 5, "First")
    assert body["estimate"]["conversations"] == 3 and body["created_by"]
    assert response["Location"] == body["url"] and curator.get(body["url"]).json()["id"] == body["id"]
    assert curator.get(body["status_url"]).json()["percentage"] == 0


def test_a_batch_of_conversations_that_are_named(curator: Api, drafts: list[str]) -> None:
    response = curator.post(
        "batches/", {"conversation_ids": [drafts[0], drafts[1].lower()], "configuration": {"effort": "high"}}
    )
    assert (response.status_code, response.json()["total"], response.json()["selection"]) == (201, 2, "chosen")
    assert response.json()["configuration"]["effort"] == "high"


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        ({"tier": "middle"}, {"tier": "invalid_choice"}),
        ({"concurrency": 0}, {"concurrency": "min_value"}),
        ({"concurrency": 900}, {"concurrency": "max_value"}),
        ({"budget_usd": "-1"}, {"budget_usd": "min_value"}),
        ({"budget_usd": "NaN"}, {"budget_usd": "invalid"}),
        ({"conversation_ids": []}, {"conversation_ids": "empty"}),
        ({"conversation_ids": ["TPL-0001"], "selection": "gaps"}, {"conversation_ids": "invalid"}),
        ({"conversation_ids": ["TPL-9999"]}, {"non_field_errors": "invalid"}),
        ({"selection": "chosen"}, {"conversation_ids": "invalid"}),
        ({"of_batch": "0199e5b2-6a02-7b12-8f3e-2b4a9e7d1f20", "selection": "failed"}, {"of_batch": "does_not_exist"}),
        ({"parameters": [1]}, {"parameters": "no_object"}),
        ({"configuration": {"temperature": "2"}}, {"configuration.temperature": "max_value"}),
        ({"request_timeout": 30_000}, {"non_field_errors": "invalid"}),
        ([], {"non_field_errors": "invalid"}),
    ],
    ids=str,
)
def test_what_is_wrong_with_an_order_is_told_by_field(
    curator: Api, drafts: list[str], order: Any, wrong: dict[str, str]
) -> None:
    for path in ("batches/", "batches/estimate/"):
        assert problems(curator.post(path, order), 400) == wrong
    assert not BatchJob.objects.exists()


def test_values_that_claude_would_refuse_are_refused_before(curator: Api, drafts: list[str]) -> None:
    refused = curator.post("batches/", {"selection": "drafts", "configuration": {"temperature": "0.5"}})
    assert problems(refused, 400)
    assert "temperature" in told(refused)


def test_what_no_longer_can_be_generated_is_a_conflict(curator: Api, workspace: Workspace) -> None:
    done = ConversationFactory(workspace=workspace, status="generated")
    refused = curator.post("batches/", {"conversation_ids": [done.conversation_id]})
    assert problems(refused, 409) == {None: "conflict"}
    assert done.conversation_id in told(refused)


def test_nothing_to_generate_is_a_conflict(curator: Api, workspace: Workspace) -> None:
    assert problems(curator.post("batches/", {}), 409) == {None: "nothing_to_generate"}


def test_a_budget_that_is_misspelt_is_not_taken_for_none(curator: Api, drafts: list[str]) -> None:
    misspelt = {"selection": "drafts", "budget": "1.00", "configuration": {"max_token": 500}}
    refused = curator.post("conversations/generate-batch/", misspelt)
    assert problems(refused, 400) == {"budget": "unknown", "configuration.max_token": "unknown"}
    assert "What can: " in told(refused) and "budget_usd" in told(refused)
    assert not BatchJob.objects.exists()


def test_what_may_be_chosen_is_told_where_something_else_was(curator: Api, drafts: list[str]) -> None:
    assert told(curator.post("batches/", {"delivery": "pigeon"})) == "“pigeon” is none of: live, economy."
    assert told(curator.get("batches/", {"priority": "none"})) == "“none” is none of: high, normal, low."
    assert told(curator.get("batches/", {"status": "lost"})).startswith("“lost” is none of: queued, processing,")


def test_an_estimate_creates_nothing_and_binds_what_is_started(
    curator: Api, workspace: Workspace, drafts: list[str]
) -> None:
    plan = curator.post("batches/estimate/", {"selection": "drafts"}).json()
    assert (plan["total"], plan["tiers"][0]["drafts"]) == (3, 3)
    assert plan["templates"][0]["template_name"] == "Emergency fund"
    assert not BatchJob.objects.exists()
    ConversationFactory(workspace=workspace)
    refused = curator.post("batches/", {"selection": "drafts", "agreed": plan["fingerprint"]})
    assert problems(refused, 409) == {None: "conflict"}
    agreed = curator.post("batches/estimate/", {"selection": "drafts"}).json()["fingerprint"]
    assert curator.post("batches/", {"selection": "drafts", "agreed": agreed}).json()["total"] == 4


def test_what_is_in_another_workspace_is_neither_taken_nor_told(
    curator: Api, drafts: list[str], elsewhere: Workspace
) -> None:
    theirs = ConversationFactory(workspace=elsewhere, conversation_id="SCN-0001")
    assert problems(curator.post("batches/", {"conversation_ids": [str(theirs.pk)]}), 400)
    job = batch_of("failed", workspace=elsewhere)
    order = {"selection": "failed", "of_batch": str(job.pk)}
    assert problems(curator.post("batches/", order), 400) == {"of_batch": "does_not_exist"}


# Once per key.


def test_a_request_sent_again_with_its_key_starts_nothing_new(curator: Api, drafts: list[str]) -> None:
    order, key = {"selection": "drafts"}, {"Idempotency-Key": "monday"}
    first = curator.post("batches/", order, headers=key)
    again = curator.post("batches/", order, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json()["id"], "Idempotent-Replayed" in first) == (again.json()["id"], False)
    assert again["Idempotent-Replayed"] == "true"
    assert BatchJob.objects.count() == 1


def test_a_key_belongs_to_one_request(curator: Api, drafts: list[str]) -> None:
    key = {"Idempotency-Key": "monday"}
    curator.post("batches/", {"selection": "drafts"}, headers=key)
    refused = curator.post("batches/", {"selection": "failed"}, headers=key)
    assert problems(refused, 409) == {None: "idempotency_key_reused"}


def test_a_refused_request_does_not_use_up_its_key(curator: Api, workspace: Workspace) -> None:
    order, key = {"selection": "drafts"}, {"Idempotency-Key": "monday"}
    assert curator.post("batches/", order, headers=key).status_code == 409
    ConversationFactory(workspace=workspace)
    assert curator.post("batches/", order, headers=key).status_code == 201


def test_keys_of_two_people_are_not_the_same(curator: Api, lead: Api, workspace: Workspace) -> None:
    first = ConversationFactory(workspace=workspace)
    second = ConversationFactory(workspace=workspace)
    key = {"Idempotency-Key": "monday"}
    assert curator.post("batches/", {"conversation_ids": [str(first.pk)]}, headers=key).status_code == 201
    assert lead.post("batches/", {"conversation_ids": [str(second.pk)]}, headers=key).status_code == 201


def test_a_key_is_forgotten_after_a_day(curator: Api, workspace: Workspace) -> None:
    from conversations.models import IdempotencyKey

    ConversationFactory(workspace=workspace)
    order, key = {"selection": "drafts"}, {"Idempotency-Key": "monday"}
    first = curator.post("batches/", order, headers=key).json()["id"]
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    ConversationFactory(workspace=workspace)
    assert curator.post("batches/", order, headers=key).json()["id"] != first


@pytest.mark.parametrize("key", ["", "x" * 201, "naïve"])
def test_a_key_that_is_none_is_refused(curator: Api, drafts: list[str], key: str) -> None:
    refused = curator.post("batches/", {"selection": "drafts"}, headers={"Idempotency-Key": key})
    assert problems(refused, 400) == {"Idempotency-Key": "invalid"}


# Looking.


def test_batches_are_listed_newest_first_and_filtered(curator: Api, workspace: Workspace, elsewhere: Workspace) -> None:
    old, new = batch_of("completed", workspace=workspace), batch_of("queued", workspace=workspace)
    BatchJob.objects.filter(pk=old.pk).update(status="cancelled")
    batch_of("queued", workspace=elsewhere)

    def listed(**filters: Any) -> list[str]:
        return [each["id"] for each in curator.get("batches/", filters).json()["results"]]

    assert listed() == [str(new.pk), str(old.pk)]
    assert listed(status=["queued", "paused"]) == listed(ended="false") == [str(new.pk)]
    assert listed(ordering="created", delivery="live") == [str(old.pk), str(new.pk)]
    assert problems(curator.get("batches/", {"status": "busy", "ordering": "cost"}), 400)


def test_a_list_takes_as_many_queries_for_twenty_as_for_two(curator: Api, workspace: Workspace) -> None:
    counts = []
    for number in (2, 18):
        BatchJobFactory.create_batch(number, workspace=workspace)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert curator.get("batches/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_items_of_a_batch_in_the_order_of_work(curator: Api, workspace: Workspace) -> None:
    job = batch_of("failed", "completed", "queued", workspace=workspace)
    BatchItem.objects.filter(status="failed").update(error_type="timed_out", error_message="Claude took too long.")
    items = curator.get(path_of(job, "items/")).json()["results"]
    assert [each["status"] for each in items] == ["failed", "completed", "queued"]
    assert items[0]["error_type"] == "timed_out" and items[0]["conversation_id"].startswith("TPL-")
    assert len(curator.get(path_of(job, "items/"), {"status": "queued"}).json()["results"]) == 1


def test_items_take_as_many_queries_for_many_as_for_few(curator: Api, workspace: Workspace) -> None:
    job, counts = batch_of("queued", workspace=workspace), []
    for number in (1, 15):
        BatchItemFactory.create_batch(number, job=job)
        with CaptureQueriesContext(connection) as queries:
            assert curator.get(path_of(job, "items/")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_message_batches_of_a_batch(curator: Api, workspace: Workspace) -> None:
    held = MessageBatchFactory(job=BatchJobFactory(workspace=workspace, delivery="economy"))
    [told_of] = curator.get(path_of(held.job, "message-batches/")).json()["results"]
    assert (told_of["id"], told_of["status"], told_of["batch"]) == (str(held.pk), "submitting", str(held.job.pk))


def test_a_summary_says_what_it_came_to(curator: Api, workspace: Workspace) -> None:
    job = batch_of("completed", "failed", workspace=workspace)
    summary = curator.get(path_of(job, "summary/")).json()
    assert (summary["total"], summary["succeeded"], summary["failed"]) == (2, 1, 1)
    assert len(summary["failures"]) == 1 and summary["failures"][0]["next_step"]


# Status.


def test_the_status_says_how_far_it_is(curator: Api, workspace: Workspace) -> None:
    job = batch_of("completed", "failed", "queued", "queued", workspace=workspace, seconds_per_item=2.0)
    status = curator.get(path_of(job, "status/")).json()
    assert (status["percentage"], status["completed"], status["total"], status["ended"]) == (50, 2, 4, False)
    assert (status["seconds_remaining"], status["status"]) == (4.0, "queued")
    assert status["current_step"] == "Waiting for its turn: as many batches run as may run at one time."


def test_an_unchanged_status_is_not_sent_again_and_reads_the_batch_alone(curator: Api, workspace: Workspace) -> None:
    job = batch_of("completed", "queued", workspace=workspace)
    first = curator.get(path_of(job, "status/"))
    assert first["Cache-Control"] == "private, max-age=1"
    with CaptureQueriesContext(connection) as queries:
        again = curator.get(path_of(job, "status/"), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert not [each["sql"] for each in queries if "batchitem" in each["sql"] or "_conversation" in each["sql"]]
    BatchItem.objects.filter(status="queued").update(status="processing")
    BatchItem.objects.filter(status="processing").update(status="failed")
    changed = curator.get(path_of(job, "status/"), headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed.json()["failed"]) == (200, 1)


def test_the_status_of_what_has_ended_may_be_kept_longer(curator: Api, workspace: Workspace) -> None:
    job = batch_of("queued", workspace=workspace)
    BatchJob.objects.filter(pk=job.pk).update(status="cancelled")
    assert curator.get(path_of(job, "status/"))["Cache-Control"] == "private, max-age=60"


# Steering.


def test_a_batch_is_paused_resumed_and_cancelled(curator: Api, workspace: Workspace) -> None:
    job = batch_of("queued", workspace=workspace)
    BatchJob.objects.filter(pk=job.pk).update(status="processing")
    paused = curator.post(path_of(job, "pause/")).json()
    assert (paused["status"], paused["reason"][:10]) == ("paused", "Paused by ")
    assert curator.post(path_of(job, "resume/")).json()["status"] == "processing"
    assert curator.post(path_of(job, "cancel/")).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("status", "act"),
    [("queued", "pause"), ("processing", "resume"), ("completed", "cancel"), ("completed", "retry-failed")],
)
def test_what_its_state_does_not_allow_is_a_conflict(curator: Api, workspace: Workspace, status: str, act: str) -> None:
    job = batch_of("queued", workspace=workspace)
    for step in ("processing", status) if status != "queued" else ():
        BatchJob.objects.filter(pk=job.pk).update(status=step)
    refused = curator.post(path_of(job, f"{act}/"))
    assert problems(refused, 409) == {None: "conflict"}
    assert f"The batch is {status}" in told(refused)


def test_failed_items_are_queued_once_more(curator: Api, workspace: Workspace) -> None:
    job = batch_of("failed", "failed", "queued", workspace=workspace)
    BatchJob.objects.filter(pk=job.pk).update(status="processing")
    retried = curator.post(path_of(job, "retry-failed/")).json()
    assert (retried["retried"], retried["batch"]["failed"]) == (2, 0)
    assert problems(curator.post(path_of(job, "retry-failed/")), 409)


def test_a_batch_is_changed_while_it_runs(curator: Api, workspace: Workspace) -> None:
    job = batch_of("queued", workspace=workspace, budget_usd=1)
    changed = curator.patch(path_of(job), {"concurrency": 7, "priority": "high", "budget_usd": None}).json()
    assert (changed["concurrency"], changed["priority"], changed["budget_usd"]) == (7, "high", None)
    assert problems(curator.patch(path_of(job), {"concurrency": 0, "priority": "urgent"}), 400) == {
        "concurrency": "min_value",
        "priority": "invalid_choice",
    }
    BatchJob.objects.filter(pk=job.pk).update(status="cancelled")
    assert problems(curator.patch(path_of(job), {"concurrency": 8}), 409) == {None: "conflict"}


def test_a_batch_is_deleted_when_it_has_ended(lead: Api, curator: Api, workspace: Workspace) -> None:
    job = batch_of("queued", workspace=workspace)
    assert problems(curator.delete(path_of(job)), 403) == {None: "permission_denied"}
    assert problems(lead.delete(path_of(job)), 409) == {None: "conflict"}
    BatchJob.objects.filter(pk=job.pk).update(status="cancelled")
    assert lead.delete(path_of(job)).status_code == 204
    assert not BatchJob.objects.exists() and BatchItem.objects.count() == 0


def test_an_operator_steers_and_does_not_start(operator: Api, workspace: Workspace) -> None:
    job = batch_of("queued", workspace=workspace)
    assert operator.post(path_of(job, "cancel/")).status_code == 200
    for path in ("batches/", "batches/estimate/", "conversations/generate-batch/"):
        assert problems(operator.post(path, {"selection": "drafts"}), 403) == {None: "permission_denied"}


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("get", ""),
        ("get", "status/"),
        ("get", "summary/"),
        ("get", "items/"),
        ("get", "message-batches/"),
        ("patch", ""),
        ("delete", ""),
        ("post", "pause/"),
        ("post", "resume/"),
        ("post", "cancel/"),
        ("post", "retry-failed/"),
    ],
)
def test_a_batch_of_another_workspace_is_not_found(lead: Api, elsewhere: Workspace, method: str, name: str) -> None:
    job = batch_of("queued", workspace=elsewhere)
    assert problems(getattr(lead, method)(path_of(job, name)), 404) == {None: "not_found"}
