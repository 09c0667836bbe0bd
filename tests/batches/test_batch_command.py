"""`manage.py batch`: look, pause, resume, cancel, retry."""

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rich.console import Console

from batches.following import follow
from batches.models import BatchJob
from batches.printing import next_step
from batches.summary import summarize
from conversations.models import Conversation
from generation.simulated.server import SimulatedClaude
from tests.factories import BatchItemFactory, BatchJobFactory, batch_of

pytestmark = pytest.mark.django_db(transaction=True)


def batch(*arguments: str) -> str:
    out = StringIO()
    call_command("batch", *arguments, stdout=out)
    return out.getvalue()


def test_the_list_names_each_batch_with_its_progress() -> None:
    job = batch_of("completed", "completed", "queued", status="processing")
    listed = batch("status")
    assert str(job.pk) in listed and "2/3" in listed


def test_the_worker_that_is_at_a_batch_is_named_as_long_as_it_is() -> None:
    lease = timezone.now() + timedelta(seconds=30)
    job = BatchJobFactory(status="processing", runner="machine:4711:0af3", runner_lease_expires_at=lease)
    assert "A worker is at it: machine:4711." in batch("status", str(job.pk))
    BatchJob.objects.filter(pk=job.pk).update(runner_lease_expires_at=timezone.now())
    assert "A worker" not in batch("status", str(job.pk))


def test_the_status_of_one_tells_why_it_is_paused() -> None:
    job = BatchJobFactory(status="paused", status_reason="Claude is overloaded.")
    assert "paused. Claude is overloaded." in batch("status", str(job.pk))


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [("pause", "processing", "paused"), ("resume", "paused", "processing"), ("cancel", "paused", "cancelled")],
)
def test_control_says_what_the_batch_is_now(action: str, before: str, after: str) -> None:
    job = BatchJobFactory(status=before)
    assert f"The batch is {after}." in batch(action, str(job.pk))
    assert BatchJob.objects.get().status == after


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_an_ended_batch_cannot_be_controlled(action: str) -> None:
    job = BatchJobFactory(status="completed")
    with pytest.raises(CommandError, match=f"completed: {action} is not possible"):
        batch(action, str(job.pk))


def test_failed_items_are_queued_again() -> None:
    job = BatchJobFactory(status="paused")
    BatchItemFactory(job=job, status="failed")
    assert "1 failed conversation is queued again" in batch("retry-failed", str(job.pk))
    with pytest.raises(CommandError, match="no failed conversations that could be retried"):
        batch("retry-failed", str(job.pk))


def test_of_an_ended_batch_the_failed_ones_take_a_new_batch() -> None:
    job = BatchJobFactory(status="failed")
    again = f"generate_batch --workspace {job.workspace.slug} --select failed --of-batch {job.pk}$"
    with pytest.raises(CommandError, match=again):
        batch("retry-failed", str(job.pk))


UNKNOWN = "01a20ff2-4c3f-73ae-a8d3-10825b1b8d1e"
ESTIMATE = {
    "conversations": 4,
    "simulated": False,
    "known_from_history": 1.0,
    "live": {
        "cost_usd": {"low": "0.04", "likely": "0.08", "high": "0.10"},
        "seconds": {"low": 60.0, "likely": 120.0, "high": 240.0},
    },
}


def test_the_status_tells_the_estimate_until_something_can_be_held_against_it() -> None:
    job = batch_of("queued", "queued", estimate=ESTIMATE)
    assert "About $0.0800 ($0.0400 to $0.1000), about 2 min (60 s to 4 min); known from earlier" in batch(
        "status", str(job.pk)
    )
    now = timezone.now()
    ended = batch_of("completed", "completed", "cancelled", "cancelled", status="cancelled", estimate=ESTIMATE)
    BatchJob.objects.filter(pk=ended.pk).update(started_at=now - timedelta(seconds=30), completed_at=now)
    ended.items.filter(status="completed").update(cost_usd=Decimal("0.03"))  # which its counters follow
    said = batch("status", str(ended.pk))
    assert "Estimated $0.0400 and 60 s: it cost 1.50 times as much, and took 0.50 times as much." in said


def test_until_a_batch_has_ended_its_time_is_not_held_against_the_estimate() -> None:
    paused = batch_of("completed", "completed", "queued", "queued", status="paused", estimate=ESTIMATE)
    paused.items.filter(status="completed").update(cost_usd=Decimal("0.03"))  # which its counters follow
    said = batch("status", str(paused.pk))
    assert "Estimated $0.0400 for what has ended so far: it cost 1.50 times as much.\n" in said


def test_the_list_shows_whole_ids_however_much_stands_beside_them() -> None:
    job = BatchJobFactory(status="processing")
    BatchJob.objects.filter(pk=job.pk).update(total_items=123_456, actual_cost_usd=12_345)
    assert str(job.pk) in batch("status")


def test_the_status_as_json_is_one_object() -> None:
    job = batch_of("completed", "failed", status="completed", estimate=ESTIMATE)
    said = json.loads(batch("status", str(job.pk), "--json"))
    assert (said["total"], said["estimate"]) == (2, ESTIMATE)
    assert said["against_estimate"]["cost_usd"]["estimated"] == 0.08


@pytest.mark.parametrize("arguments", [["status"], ["pause", UNKNOWN]])
def test_json_goes_with_the_status_of_one_batch_alone(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="status ID --json"):
        batch(*arguments, "--json")


@pytest.mark.parametrize("wrong", ["nonsense", UNKNOWN])
def test_an_unknown_id_is_refused_in_words(wrong: str) -> None:
    with pytest.raises(CommandError, match="There is no batch"):
        batch("status", wrong)


def test_control_without_an_id_asks_for_one() -> None:
    with pytest.raises(CommandError, match="no id was given"):
        batch("pause")


def test_following_ends_when_the_batch_has_ended_though_its_runner_died() -> None:
    an_hour_ago = timezone.now() - timedelta(hours=1)
    job = BatchJobFactory(status="cancelled", runner="dead", runner_lease_expires_at=an_hour_ago)
    assert follow(job, inline=False, console=Console(file=StringIO())).status == "cancelled"


def test_a_paused_batch_is_resumed_and_run_here(claude: SimulatedClaude) -> None:
    job = BatchJobFactory(status="paused")
    for position in (1, 2):
        BatchItemFactory(job=job, position=position)
    said = batch("resume", str(job.pk), "--inline")
    job.refresh_from_db()
    assert (job.status, job.successful_items) == ("completed", 2)
    assert "2 succeeded" in said


def test_of_a_batch_that_is_simulated_in_part_the_status_says_how_many() -> None:
    job = batch_of("completed", "completed", status="completed")
    made = job.items.order_by("position")
    Conversation.objects.filter(pk=made[0].conversation_id).update(simulated=True)
    assert "(1 of them simulated)" in batch("status", str(job.pk))
    Conversation.objects.filter(pk=made[1].conversation_id).update(simulated=True)
    assert "(simulated: nothing was paid)" in batch("status", str(job.pk))


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        ("paused", "Claude is overloaded.", "Claude is overloaded. Go on with: manage.py batch resume {}"),
        ("cancelled", "", "The batch was cancelled. What was left is still a draft."),
        (
            "failed",
            "The key is refused",
            "The key is refused. Try the failed ones again with: manage.py generate_batch",
        ),
    ],
)
def test_the_last_line_says_what_to_do_next(status: str, reason: str, told: str) -> None:
    job = batch_of("failed", status=status, status_reason=reason)
    assert next_step(summarize(job)).startswith(told.format(job.pk))
