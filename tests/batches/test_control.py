"""What people do to a batch: who wins, what is refused, and what the reaper puts right."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from batches import control, leases
from batches.models import BatchJob
from batches.planning import Order, create
from conversations.models import Conversation, Workspace
from tests.factories import BatchItemFactory, BatchJobFactory, ConversationFactory

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., BatchJob]
AN_HOUR = timedelta(hours=1)


def asked_for() -> list[str]:
    """The jobs for which a slice is queued."""
    return sorted(str(entry.task["args"][0]) for entry in OrmQ.objects.all())


def status_of(job: BatchJob) -> str:
    return BatchJob.objects.values_list("status", flat=True).get(pk=job.pk)


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        (control.start, {"queued": "processing"}),
        (control.pause, {"processing": "paused"}),
        (control.resume, {"paused": "processing"}),
        (lambda pk: control.interrupt(pk, ""), {"queued": "cancelled", "processing": "paused"}),
        (control.cancel, dict.fromkeys(("queued", "processing", "paused"), "cancelled")),
        (lambda pk: control.stop(pk, "Enough."), dict.fromkeys(("queued", "processing", "paused"), "failed")),
    ],
)
@pytest.mark.parametrize("status", ["queued", "processing", "paused", "completed", "failed", "cancelled"])
def test_only_listed_transitions_are_made(action: Callable[[UUID], bool], allowed: dict[str, str], status: str) -> None:
    job = BatchJobFactory(status=status)
    assert action(job.pk) is (status in allowed)
    assert status_of(job) == allowed.get(status, status)


def test_a_queued_job_is_begun_and_a_slice_asked_for(workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    job = create(Order(workspace, selection="drafts"))
    assert job is not None
    assert (status_of(job), asked_for()) == ("processing", [str(job.pk)])


def test_a_rolled_back_resume_asks_for_nothing() -> None:
    job = BatchJobFactory(status="paused")
    with transaction.atomic():
        control.resume(job.pk)
        transaction.set_rollback(True)
    assert (status_of(job), asked_for()) == ("paused", [])


def test_jobs_begin_by_priority_and_then_by_age(settings: pytest.FixtureRequest) -> None:
    settings.MAX_RUNNING_BATCHES = 2  # type: ignore[attr-defined]
    low, normal, later, high = (BatchJobFactory(priority=priority) for priority in ("low", "normal", "normal", "high"))
    control.dispatch()
    assert [status_of(job) for job in (high, normal, later, low)] == ["processing", "processing", "queued", "queued"]
    control.stop(high.pk, "")
    control.dispatch()
    assert [status_of(job) for job in (later, low)] == ["processing", "queued"]


def test_the_reaper_revives_a_job_whose_runner_died_and_asks_once() -> None:
    job = BatchJobFactory(status="processing", runner="dead", runner_lease_expires_at=timezone.now() - AN_HOUR)
    control.reap()
    control.reap()
    assert asked_for() == [str(job.pk)]
    assert leases.take_job(job.pk, "alive")


def test_the_reaper_leaves_a_job_with_a_live_runner_alone() -> None:
    BatchJobFactory(status="processing", runner="alive", runner_lease_expires_at=timezone.now() + AN_HOUR)
    control.reap()
    assert asked_for() == []


def test_the_reaper_frees_what_a_dead_worker_held_of_a_cancelled_job() -> None:
    call = uuid4()
    conversation = ConversationFactory(status="generating", claim=call, claim_expires_at=timezone.now() + AN_HOUR)
    job = BatchJobFactory(status="cancelled", workspace=conversation.workspace)
    item = BatchItemFactory(
        job=job,
        conversation=conversation,
        status="processing",
        call_id=call,
        lease_expires_at=timezone.now() - AN_HOUR,
    )
    control.reap()
    item.refresh_from_db()
    conversation.refresh_from_db()
    assert (item.status, conversation.status, conversation.claim) == ("cancelled", "failed", None)
    assert "Generate it again" in conversation.failure_message


def test_the_reaper_frees_a_conversation_whose_only_generator_died() -> None:
    expired = ConversationFactory(status="generating", claim=uuid4(), claim_expires_at=timezone.now() - AN_HOUR)
    at_work = ConversationFactory(status="generating", claim=uuid4(), claim_expires_at=timezone.now() + AN_HOUR)
    control.reap()
    expired.refresh_from_db()
    at_work.refresh_from_db()
    assert (expired.status, expired.failure_type, expired.claim) == ("failed", "abandoned", None)
    assert at_work.status == "generating"


def test_a_job_that_was_just_begun_is_not_taken_for_deserted(batch: Make) -> None:
    batch(1)
    control.reap()
    assert asked_for() == []


def test_failed_items_of_an_unfinished_job_are_queued_again(workspace: Workspace) -> None:
    job = BatchJobFactory(workspace=workspace, status="paused")
    BatchItemFactory(job=job, status="completed", position=1)
    failed = BatchItemFactory(job=job, status="failed", position=2, error_type="overloaded", attempts=3)
    assert control.retry_failed(job.pk) == 1
    failed.refresh_from_db()
    job.refresh_from_db()
    assert (failed.status, failed.error_type, failed.attempts) == ("queued", "", 0)
    assert (job.completed_items, job.successful_items, job.failed_items) == (1, 1, 0)


def test_an_ended_job_retries_nothing_in_place(workspace: Workspace) -> None:
    job = BatchJobFactory(workspace=workspace, status="completed")
    BatchItemFactory(job=job, status="failed")
    assert control.retry_failed(job.pk) == 0
    assert job.items.get().status == "failed"


def test_cancelling_leaves_the_waiting_conversations_as_drafts(batch: Make) -> None:
    job = batch(3)
    control.cancel(job.pk)
    assert set(job.items.values_list("status", flat=True)) == {"cancelled"}
    assert Conversation.objects.filter(status="draft").count() == 3
