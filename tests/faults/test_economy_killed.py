"""Real workers, really killed while an economy batch is sent, waited for and saved."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Count, Sum

from batches import engine
from batches.models import BatchItem, BatchJob, MessageBatch
from batches.planning import Order, create
from conversations.models import Conversation, Turn, Workspace
from generation.answers import RemoteBatch
from generation.claude import Claude
from generation.endpoint import endpoint
from generation.models import GenerationLog
from generation.simulated.running import Listening
from generation.simulated.server import SimulatedClaude
from tests.background import ignore
from tests.factories import ConversationFactory, PromptTemplateFactory, WorkspaceFactory
from tests.processes import eventually, kill_tree, worker

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS = 250
CHUNK = 50
REFUSED = 5  # never succeed
EXPIRED = 10  # succeed when they are sent again, like those that failed in passing
SCRIPT = ["400"] * REFUSED + ["expired"] * EXPIRED + ["529", "500"] * 5
SENT = ITEMS + EXPIRED + 10  # requests in all
QUICK = {
    "ECONOMY_CHUNK_REQUESTS": str(CHUNK),
    "ECONOMY_POLL_SECONDS": "0.5",
    "BATCH_LEASE_SECONDS": "5",
    "ANTHROPIC_TIMEOUT": "5",  # so long, and a minute, may pass until one that a kill kept from being sent is given up
}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def order(size: int, **options: Any) -> BatchJob:
    """A batch of so many equal drafts, in a workspace of their own."""
    workspace: Workspace = WorkspaceFactory()
    template = PromptTemplateFactory(workspace=workspace)
    ConversationFactory.create_batch(size, workspace=workspace, template=template)
    job = create(Order(workspace, selection="drafts", **options), inline=options.get("delivery") != "economy")
    assert job is not None
    return job


def saved(job: BatchJob) -> int:
    return BatchItem.objects.filter(job=job, status="completed").count()


def message_batches_at_anthropic() -> list[RemoteBatch]:
    async def listed() -> list[RemoteBatch]:
        async with Claude(endpoint(), timeout=10) as claude:
            return await claude.message_batches_since(LONG_AGO)

    return asyncio.run(listed())


def test_every_request_is_paid_once_and_every_result_saved_once_whenever_workers_are_killed(
    claude: SimulatedClaude, start_claude: Callable[..., Listening], settings: Any
) -> None:
    claude.behaviour.batch_seconds = 4
    claude.behaviour.batch_script.extend(SCRIPT)
    claude.when("", "", "unanswered", endpoint="batches.create")
    job = order(ITEMS, delivery="economy")

    with worker(**QUICK) as first:  # killed between sending its second message batch and storing the id
        eventually(lambda: len(message_batches_at_anthropic()) == 2, seconds=120)
        kill_tree(first.pid)
    assert MessageBatch.objects.filter(status="submitting", remote_id="").count() == 1
    with worker(**QUICK) as second:  # while it looks
        eventually(lambda: len(claude.arrivals.of("batches.retrieve")) >= 2, seconds=120)
        kill_tree(second.pid)
    claude.behaviour.batch_seconds = 1  # of those that are sent from here on
    with worker(**QUICK) as third:  # while it saves
        eventually(lambda: saved(job) >= 20, seconds=180)
        kill_tree(third.pid)
    assert saved(job) < ITEMS - REFUSED
    with worker(**QUICK):
        eventually(lambda: BatchJob.objects.get(pk=job.pk).status == "completed", seconds=300)

    assert_all_is_saved_once(job)
    settings.ANTHROPIC_BASE_URL = start_claude().url  # one that writes the same from the beginning
    assert_it_cost_half(job)


def assert_all_is_saved_once(job: BatchJob) -> None:
    job.refresh_from_db()
    recount = BatchItem.objects.filter(job=job).values_list("status").annotate(number=Count("pk"))
    assert dict(recount) == {"completed": ITEMS - REFUSED, "failed": REFUSED}
    assert (job.total_items, job.successful_items, job.failed_items) == (ITEMS, ITEMS - REFUSED, REFUSED)
    assert job.actual_cost_usd == GenerationLog.objects.aggregate(usd=Sum("cost_usd"))["usd"]
    written = Conversation.objects.filter(status__in=("generated", "pending_review")).annotate(number=Count("turns"))
    assert written.count() == ITEMS - REFUSED
    assert all(one.number == one.turn_count > 0 for one in written)
    assert Turn.objects.values("conversation", "position").distinct().count() == Turn.objects.count()

    remote = message_batches_at_anthropic()
    ours = MessageBatch.objects.exclude(remote_id="").values_list("remote_id", flat=True)
    assert {one.id for one in remote} == set(ours)
    assert set(MessageBatch.objects.values_list("status", flat=True)) <= {"read", "not_created"}
    assert sum(one.requests for one in remote) == SENT == GenerationLog.objects.count()
    assert GenerationLog.objects.filter(status="succeeded").count() == ITEMS - REFUSED


def assert_it_cost_half(job: BatchJob) -> None:
    """Half of what the same conversations cost live; their prompts are too short for the cache."""
    live = order(ITEMS - REFUSED, concurrency=50)
    while not live.ended:
        engine.run_slice(live.pk, on_unfinished=ignore)
        live.refresh_from_db()
    assert live.successful_items == ITEMS - REFUSED
    rounding = Decimal("0.000001") * ITEMS
    assert abs(live.actual_cost_usd - 2 * job.actual_cost_usd) <= rounding
