"""A batch while nearly a third of all requests fail, in every way that a request can."""

from collections import Counter

import pytest
from django.db.models import Sum

from batches import control, engine
from batches.choices import JobStatus
from batches.models import BatchJob
from batches.planning import Order, create
from generation import errors
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory, PromptTemplateFactory, WorkspaceFactory
from tests.faults.books import assert_balanced

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS = 100
REASONS = {kind.code() for kind in (*errors.RetryLater.__subclasses__(), *errors.ReplyUnusable.__subclasses__())}
FAULTS = (
    *("429:0", "429-without-retry-after", "529", "500", "500:0", "503", "408", "reset", "hang:0.2", "short-body"),
    *("not-json", "malformed", "wrong-schema", "no-text", "cut-off"),
)


def test_every_item_is_written_or_failed_with_its_reason(claude: SimulatedClaude) -> None:
    claude.behaviour.fault_rate, claude.behaviour.faults = 0.3, FAULTS
    workspace = WorkspaceFactory()
    template = PromptTemplateFactory(workspace=workspace)
    ConversationFactory.create_batch(ITEMS, workspace=workspace, template=template)
    job = create(Order(workspace, selection="drafts", concurrency=10, max_attempts=2), inline=True)
    assert job is not None
    while BatchJob.objects.filter(pk=job.pk, status=JobStatus.PROCESSING).exists():
        engine.run_slice(job.pk, on_unfinished=control.reserve)

    assert_balanced(job)
    assert (job.status, job.completed_items) == (JobStatus.COMPLETED, ITEMS)
    reasons = Counter(job.items.filter(status="failed").values_list("error_type", flat=True))
    assert 0 < reasons.total() < ITEMS / 4
    assert set(reasons) <= REASONS
    unlike = job.items.filter(status="failed").exclude(conversation__status="failed", conversation__turn_count=0)
    assert not unlike.exists()
    assert not job.items.filter(status="failed", error_message="").exists()
    logged = GenerationLog.objects.aggregate(cost=Sum("cost_usd"))["cost"]
    assert logged == job.actual_cost_usd
    assert GenerationLog.objects.count() == len(claude.arrivals)  # every request has its row
