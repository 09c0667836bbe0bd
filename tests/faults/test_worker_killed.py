"""A real worker, really killed in the middle of a batch."""

import signal
from typing import Any

import pytest
from django.db.models import Count

from batches.models import BatchItem, BatchJob
from batches.planning import Order, create
from conversations.models import Conversation, Turn
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory, PromptTemplateFactory, WorkspaceFactory
from tests.processes import eventually, kill_tree, worker

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS = 24
IN_FLIGHT = 4
SHORT_LEASE = {"BATCH_LEASE_SECONDS": "5"}


@pytest.fixture
def job(claude: SimulatedClaude) -> BatchJob:
    claude.behaviour.latency, claude.behaviour.jitter = 0.4, 0.5
    workspace = WorkspaceFactory()
    template = PromptTemplateFactory(workspace=workspace)
    ConversationFactory.create_batch(ITEMS, workspace=workspace, template=template)
    job = create(Order(workspace, selection="drafts", concurrency=IN_FLIGHT))
    assert job is not None
    return job


def ended(job: BatchJob) -> int:
    return BatchItem.objects.filter(job=job, status="completed").count()


def assert_every_item_ended_exactly_once(job: BatchJob, claude: SimulatedClaude, *, killed: int) -> None:
    job.refresh_from_db()
    assert (job.status, job.successful_items, job.failed_items, job.completed_items) == ("completed", ITEMS, 0, ITEMS)
    assert ended(job) == ITEMS
    made = Conversation.objects.filter(status="generated").annotate(number=Count("turns"))
    assert [one.number for one in made] == [one.turn_count for one in made]
    assert made.count() == ITEMS
    assert Turn.objects.values("conversation", "position").distinct().count() == Turn.objects.count()
    assert GenerationLog.objects.filter(status="succeeded").count() == ITEMS
    assert ITEMS <= len(claude.requests) <= ITEMS + killed * IN_FLIGHT  # at most what was in flight is paid twice


def test_after_kill_minus_nine_another_worker_finishes_every_item_once(job: BatchJob, claude: SimulatedClaude) -> None:
    with worker(**SHORT_LEASE) as first:
        eventually(lambda: ended(job) >= 6, seconds=40)
        kill_tree(first.pid)
        assert ended(job) < ITEMS
    with worker(**SHORT_LEASE):
        eventually(lambda: BatchJob.objects.get(pk=job.pk).status == "completed", seconds=60)
    assert_every_item_ended_exactly_once(job, claude, killed=1)


def test_sigterm_lets_calls_in_flight_finish_and_another_worker_goes_on(job: BatchJob, claude: SimulatedClaude) -> None:
    with worker() as first:
        eventually(lambda: ended(job) >= 4, seconds=40)
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=20) == 0
        asked = len(claude.requests)
        assert asked == ended(job) < ITEMS  # everything that was asked for has been kept
    with worker():
        eventually(lambda: BatchJob.objects.get(pk=job.pk).status == "completed", seconds=60)
    assert_every_item_ended_exactly_once(job, claude, killed=0)


def test_a_killed_cluster_is_cleared_away_and_reported(job: BatchJob, claude: Any) -> None:
    with worker(**SHORT_LEASE) as first:
        eventually(lambda: ended(job) >= 2, seconds=40)
        [cluster] = first.children()
        below = cluster.children(recursive=True)
        cluster.kill()
        assert first.wait(timeout=20) != 0  # a process manager sees that it has to start it again
        eventually(lambda: not any(process.is_running() for process in below), seconds=10)
