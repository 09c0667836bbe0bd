"""Where a batch stands, what can be done to it, and what came of it: steps four and five, and the pills."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from batches.models import BatchJob
from batches.wizard.steps import job_url, plan_url
from conversations.models import Workspace
from generation.models import RateWaiter
from tests.admin_pages import list_of, member, outsider, page_of, queries_of
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ConversationFactory,
    MessageBatchFactory,
    WorkspaceFactory,
    batch_of,
)

pytestmark = pytest.mark.django_db

RUNNING = reverse("admin:batches_batchjob_running")
HTMX = {"HX-Request": "true"}
DIALOG = {**HTMX, "HX-Target": "dialog-body"}


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def job(workspace: Workspace) -> BatchJob:
    """Two of four done, one failed of them; a worker is at it."""
    return batch_of("completed", "failed", "processing", "queued", **at_work(workspace))


def at_work(workspace: Workspace) -> dict[str, Any]:
    lease = timezone.now() + timedelta(seconds=30)
    begun = timezone.now() - timedelta(minutes=5)
    lent = {"runner": "a worker", "runner_lease_expires_at": lease}
    return {"workspace": workspace, "name": "Kestrel", "status": "processing", "started_at": begun, **lent}


def move(job: BatchJob, status: str) -> None:
    BatchJob.objects.filter(pk=job.pk).update(status=status)


def test_closing_the_dialog_says_what_becomes_of_the_batch(curator: Client, job: BatchJob) -> None:
    assert "The batch goes on." in curator.get(job_url("progress", job), headers=DIALOG).content.decode()
    move(job, "paused")
    paused = curator.get(job_url("progress", job), headers=DIALOG).content.decode()
    assert "The batch stays paused." in paused and "The batch goes on." not in paused


def shown(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def live(client: Client, job: BatchJob, **told: Any) -> Any:
    return client.get(job_url("live", job, **told), headers=HTMX)


# --- Progress


def test_it_tells_how_far_the_batch_is_and_what_it_is_at(curator: Client, job: BatchJob) -> None:
    page = shown(curator.get(job_url("progress", job)))
    assert "Generating conversation 3 of 4" in page and "50 %" in page
    assert "Careful saver · Anxious · Building an emergency fund" in page
    assert "5 min" in page
    assert page.count('hx-trigger="every 2s"') == 1


def test_the_cost_is_held_against_the_budget_or_the_estimate(curator: Client, job: BatchJob) -> None:
    span = {"low": 1, "likely": 2, "high": 3}
    estimate = {"simulated": True, "live": {"cost_usd": span, "seconds": span}}
    BatchJob.objects.filter(pk=job.pk).update(estimate=estimate)
    page = shown(curator.get(job_url("progress", job)))
    assert "of about $2.00" in page and "Simulated" in page
    BatchJob.objects.filter(pk=job.pk).update(budget_usd="12.5")
    assert "of a budget of $12.50" in shown(curator.get(job_url("progress", job)))


def test_a_poll_is_a_small_answer_and_two_queries_of_its_own(curator: Client, job: BatchJob) -> None:
    url = job_url("live", job)
    own = [query for query in queries_of(curator, url) if "batches_" in query]
    assert len(own) == 2
    assert len(curator.get(url, headers=HTMX).content) < 3_000


def test_who_waits_for_the_rate_limit_is_told_until_when(curator: Client, job: BatchJob) -> None:
    BatchJob.objects.filter(pk=job.pk).update(status_reason="Rate limit: next request in 40 s.")
    assert "Rate limit: next request in 40 s." in shown(live(curator, job))
    now = timezone.now()
    waits = {"since": now, "until": now + timedelta(seconds=40), "asks_at": now, "wanted": 1, "priority": "normal"}
    RateWaiter.objects.create(
        key="key", who="Batch “Kestrel”", of_workspace=job.workspace_id, reason="requests", **waits
    )
    page = shown(live(curator, job))
    assert "Request limit: it goes on in about 40 s, by itself." in page


def test_without_a_worker_it_says_what_to_do(curator: Client, job: BatchJob) -> None:
    BatchJob.objects.filter(pk=job.pk).update(runner="", runner_lease_expires_at=None, updated_at=timezone.now())
    page = shown(live(curator, job))
    assert "Waiting for a worker" in page and "no worker runs" not in page
    BatchJob.objects.filter(pk=job.pk).update(updated_at=timezone.now() - timedelta(minutes=5))
    assert "Nobody has taken it up for 5 min: it seems that no worker runs." in shown(live(curator, job))


def test_a_worker_that_died_is_missed_from_the_end_of_its_lease(curator: Client, job: BatchJob) -> None:
    ended = timezone.now() - timedelta(seconds=40)
    BatchJob.objects.filter(pk=job.pk).update(
        runner_lease_expires_at=ended, updated_at=timezone.now() - timedelta(hours=1)
    )
    assert "Nobody has taken it up for 40 s" in shown(live(curator, job))


def test_one_that_waits_for_its_turn_and_one_that_is_paused_say_so(curator: Client, workspace: Workspace) -> None:
    queued = batch_of("queued", workspace=workspace, status="queued")
    assert "Waiting for its turn" in shown(live(curator, queued))
    paused = batch_of("queued", workspace=workspace, status="paused", status_reason="The budget is spent.")
    page = shown(live(curator, paused))
    assert "Paused after 0 of 1 conversation" in page and "The budget is spent." in page
    assert "every 10s" in page


def test_economy_tells_how_many_requests_claude_has(curator: Client, workspace: Workspace) -> None:
    job = batch_of("queued", workspace=workspace, status="processing", delivery="economy")
    MessageBatchFactory(job=job, requests=240, status="in_progress", remote_id="msgbatch_1")
    page = shown(live(curator, job))
    assert "0 of 1 conversation have come back" in page
    assert "Claude has 240 requests" in page


def test_milestones_alone_are_read_out(curator: Client, job: BatchJob) -> None:
    state = "processing-failed"
    assert "milestone" not in shown(live(curator, job, quarter=2, state=state))
    assert "Half is done: 2 of 4 conversations." in shown(live(curator, job, quarter=1, state=state))
    move(job, "paused")
    page = shown(live(curator, job, quarter=2, state=state))
    assert "Paused: 2 of 4 conversations." in page
    assert 'id="act-resume"' in page and 'hx-swap-oob="true"' in page


def test_buttons_are_sent_again_only_when_they_change(curator: Client, job: BatchJob) -> None:
    assert "act-pause" not in shown(live(curator, job, quarter=2, state="processing-failed"))
    assert "act-retry_failed_items" in shown(live(curator, job, quarter=2, state="processing-good"))


def test_at_its_end_the_dialog_goes_on_to_the_summary(curator: Client, job: BatchJob) -> None:
    job.items.filter(status="processing").update(status="completed")
    move(job, "completed")
    response = live(curator, job, dialog="yes")
    page = shown(response)
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#dialog-body", "innerHTML show:none")
    assert 'id="dialog-title"' in page and "2 conversations generated, 1 failed." in page and "every" not in page
    assert json.loads(response["HX-Trigger"]).keys() == {"toast", "page-is-stale", "batches-changed"}


def test_at_its_end_the_page_goes_on_to_the_summary(curator: Client, job: BatchJob) -> None:
    move(job, "completed")
    assert live(curator, job)["HX-Redirect"] == job_url("summary", job)
    assert "1 conversation generated, 1 failed." in shown(curator.get(job_url("summary", job)))


def test_progress_and_summary_lead_to_each_other(curator: Client, job: BatchJob) -> None:
    assert curator.get(job_url("summary", job)).url == job_url("progress", job)
    move(job, "completed")
    assert curator.get(job_url("progress", job)).url == job_url("summary", job)
    assert curator.get(job_url("cancel", job)).url == job_url("summary", job)


# --- Steering


def test_from_its_progress_a_batch_is_paused_and_resumed(curator: Client, job: BatchJob) -> None:
    steer = job_url("steer", job)
    response = curator.post(steer, {"act": "pause", "back": "progress"})
    assert response.url == job_url("progress", job, changed="yes")
    assert 'id="act-resume"' in shown(curator.get(response.url))
    curator.post(steer, {"act": "resume", "back": "progress"})
    job.refresh_from_db()
    assert job.status == "processing"
    assert curator.post(steer, {"act": "pause"}).url == page_of(job)


def test_before_it_is_cancelled_the_curator_is_asked(curator: Client, job: BatchJob) -> None:
    page = shown(curator.get(job_url("cancel", job), headers=DIALOG))
    assert "What is written stays: 1 conversation." in page and "2 conversations would not be generated" in page
    job.refresh_from_db()
    assert job.status == "processing"
    curator.post(job_url("steer", job), {"act": "cancel", "back": "progress"})
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_who_may_only_look_sees_no_buttons_and_is_not_asked(workspace: Workspace, job: BatchJob) -> None:
    client = member(workspace, "curator", without=["change_batchjob"])
    assert "act-" not in shown(client.get(job_url("progress", job)))
    assert client.get(job_url("cancel", job)).status_code == 403


@pytest.mark.parametrize("page", ["progress", "live", "cancel", "summary"], ids="page_{}".format)
def test_another_workspaces_batch_does_not_exist(curator: Client, page: str) -> None:
    assert curator.get(job_url(page, batch_of("queued", status="processing"))).status_code == 404


@pytest.mark.parametrize("page", ["progress", "live", "summary"], ids="page_{}".format)
def test_it_takes_the_permission_to_look_at_batches(workspace: Workspace, job: BatchJob, page: str) -> None:
    client = member(workspace, "curator", without=["view_batchjob"])
    assert client.get(job_url(page, job)).status_code == 403


# --- Summary


def test_the_summary_tells_results_reasons_and_what_to_do_next(curator: Client, workspace: Workspace) -> None:
    job = BatchJobFactory(workspace=workspace, status="completed", completed_at=timezone.now())
    made = ConversationFactory(workspace=workspace, status="generated", quality_score="8.4", simulated=True)
    BatchItemFactory(job=job, conversation=made, status="completed", cost_usd="0.02")
    for _ in range(2):
        failed = ConversationFactory(workspace=workspace, status="failed")
        why = {"error_type": "overloaded", "error_message": "Claude is overloaded."}
        BatchItemFactory(job=job, conversation=failed, status="failed", **why)
    page = shown(curator.get(job_url("summary", job)))
    for words in ("1 conversation generated, 2 failed.", "Claude is overloaded.", "Try them again in a while", "8.4"):
        assert words in page
    assert "1 conversation was written by simulated Claude" in page
    assert '<desc id="histogram-desc">0 scored below 4, 0 scored 4 to 6, 0 scored 6 to 8, 1 scored 8 and above.' in page
    assert plan_url(selection="failed", of_batch=job.pk).replace("&", "&amp;") in page
    assert f"?batch={job.pk}" in page
    assert page_of(failed) in page


@pytest.mark.parametrize(
    ("status", "words"),
    [("completed", "2 conversations generated."), ("cancelled", "Cancelled: 2 conversations generated before that.")],
)
def test_the_outcome_is_told_in_a_sentence(curator: Client, workspace: Workspace, status: str, words: str) -> None:
    job = batch_of("completed", "completed", workspace=workspace, status=status)
    assert words in shown(curator.get(job_url("summary", job)))


# --- Pills


def test_a_pill_on_every_page_leads_to_the_progress_of_what_runs(curator: Client, job: BatchJob) -> None:
    for page in (list_of(BatchJob), reverse("admin:index"), page_of(job)):
        told = shown(curator.get(page))
        assert f'href="{job_url("progress", job)}" data-dialog' in told and "2/4" in told
        assert "every 5s" in told


def test_nothing_is_polled_while_nothing_runs(curator: Client, workspace: Workspace) -> None:
    batch_of("completed", workspace=workspace, status="completed")
    assert "every" not in shown(curator.get(RUNNING)) and "pill" not in shown(curator.get(RUNNING))
    batch_of("queued", workspace=workspace, status="paused")
    assert "every" not in shown(curator.get(RUNNING)) and "paused" in shown(curator.get(RUNNING))


def test_three_are_shown_and_the_others_counted(curator: Client, workspace: Workspace) -> None:
    for _ in range(5):
        batch_of("queued", workspace=workspace, status="processing")
    page = shown(curator.get(RUNNING))
    assert page.count("data-dialog") == 3 and "+2" in page


def test_others_batches_are_not_shown(curator: Client, job: BatchJob) -> None:
    foreign = batch_of("queued", status="processing")
    page = shown(curator.get(RUNNING))
    assert str(job.pk) in page and str(foreign.pk) not in page
    assert "pill" not in shown(outsider().get(RUNNING))
    assert "pill" not in shown(member(job.workspace, without=["view_batchjob"]).get(RUNNING))


def test_the_pills_take_one_query_which_an_index_serves(curator: Client, workspace: Workspace) -> None:
    BatchJobFactory.create_batch(3, workspace=workspace, status="processing")
    ended = [BatchJob(workspace=workspace, name="Over", status="completed") for _ in range(3_000)]
    BatchJob.objects.bulk_create(ended)
    (query,) = [query for query in queries_of(curator, RUNNING) if "batches_batchjob" in query]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE batches_batchjob")
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "batch_job_open" in plan


def test_simulated_claude_is_told_of_everywhere(curator: Client, settings: Any) -> None:
    words = "Simulated Claude answers here: nothing is paid"
    assert words in shown(curator.get(list_of(BatchJob)))
    settings.ANTHROPIC_API_KEY = "a key"
    assert words not in shown(curator.get(list_of(BatchJob)))


# --- The list


def test_the_list_shows_bars_that_lead_on(curator: Client, job: BatchJob) -> None:
    page = shown(curator.get(list_of(BatchJob)))
    assert '<progress max="4" value="2"' in page and job_url("progress", job) in page


def test_an_empty_list_says_what_to_do_first(curator: Client) -> None:
    page = shown(curator.get(list_of(BatchJob)))
    assert "No batch yet" in page and f'href="{plan_url()}" data-dialog' in page
    assert "No batch yet" not in shown(curator.get(list_of(BatchJob, q="something")))
