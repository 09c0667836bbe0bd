"""How claimed items are divided into message batches, and what may go wrong in sending them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from batches import control
from batches.economy.chunks import Waiting
from batches.economy.holding import Prepared
from batches.leases import Work
from batches.models import BatchItem, BatchJob, MessageBatch
from batches.planning import Order, create
from conversations.models import Conversation, Workspace
from generation.simulated.server import SimulatedClaude
from tests.batches.economy.conftest import Make, conversations, remote, statuses
from tests.factories import ConversationFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db(transaction=True)
Step = Callable[..., Any]


def sizes() -> list[int]:
    """Of all message batches, the first one first."""
    return list(MessageBatch.objects.order_by("created_at").values_list("requests", flat=True))


def prepared(size: int, **request: Any) -> Prepared:
    return Prepared(Work(uuid4(), uuid4(), uuid4(), Conversation()), request, size)


def test_a_message_batch_has_no_more_requests_than_the_setting_says(economy: Make, submit: Step, settings: Any) -> None:
    settings.ECONOMY_CHUNK_REQUESTS = 2
    submit(economy(5))
    assert sizes() == [2, 2, 1]


def test_a_message_batch_has_no_more_bytes_than_arrive_in_time() -> None:
    waiting = Waiting(most=10, largest=100)
    waiting.add([prepared(size) for size in (40, 40, 40, 300, 10)])
    assert waiting.missing == 0
    assert [[one.size for one in waiting.take()] for _chunk in range(4)] == [[40, 40], [40], [300], [10]]
    assert waiting.take() == []


def test_requests_with_sampling_travel_apart() -> None:
    waiting = Waiting(most=2)
    waiting.add([prepared(1, temperature=0.5), prepared(1), prepared(1, temperature=0.5)])
    taken = [[one.request for one in waiting.take()] for _chunk in range(2)]
    assert taken == [[{"temperature": 0.5}, {"temperature": 0.5}], [{}]]


def test_templates_with_sampling_and_without_are_sent_in_message_batches_of_their_own(
    workspace: Workspace, finish: Step
) -> None:
    for sampling in ({"model": "claude-sonnet-4-6", "temperature": "0.7"}, {}):
        template = PromptTemplateFactory(workspace=workspace, **sampling)
        ConversationFactory.create_batch(2, workspace=workspace, template=template)
    job = create(Order(workspace, selection="drafts", delivery="economy"), inline=True)
    assert job
    finish(job)
    assert (job.status, job.successful_items, sizes()) == ("completed", 4, [2, 2])


def test_413_makes_them_smaller(economy: Make, submit: Step, claude: SimulatedClaude) -> None:
    claude.when("", "413", endpoint="batches.create")
    job = economy(4)
    submit(job)
    sent = MessageBatch.objects.filter(status="in_progress").values_list("requests", flat=True)
    assert list(sent) == [2, 2]
    assert set(BatchItem.objects.values_list("submissions", "attempts")) == {(1, 1)}


def test_413_for_one_request_is_that_requests_failure(economy: Make, submit: Step, claude: SimulatedClaude) -> None:
    claude.when("", "413", endpoint="batches.create")
    job = economy(1)
    submit(job)
    assert (job.status, BatchItem.objects.get().error_type) == ("failed", "request_too_large")


@pytest.mark.parametrize("fault", ["400", "401", "402", "403", "404", "spend-limit"])
def test_a_refusal_gives_everything_back_and_pauses_with_the_reason(
    economy: Make, submit: Step, finish: Step, claude: SimulatedClaude, fault: str
) -> None:
    claude.when("", fault, endpoint="batches.create")
    job = economy(2)
    submit(job)
    assert (job.status, statuses(job), conversations(job)) == ("paused", ["queued"] * 2, ["draft"] * 2)
    assert job.status_reason and MessageBatch.objects.get().status == "not_created"
    assert set(BatchItem.objects.values_list("submissions", "attempts")) == {(0, 0)}
    control.resume(job.pk)
    finish(job)
    assert job.status == "completed"


@pytest.mark.parametrize(("fault", "words"), [("429:7", "in 7 s"), ("529", "in 60 s")])
def test_where_claude_takes_no_more_it_is_tried_later_and_said_so(
    economy: Make, submit: Step, claude: SimulatedClaude, fault: str, words: str
) -> None:
    claude.when("", fault, endpoint="batches.create")
    job = economy(2)
    assert submit(job) == []
    assert (job.status, statuses(job)) == ("processing", ["queued"] * 2)
    assert not MessageBatch.objects.exists()
    assert "takes no further message batch just now" in job.status_reason and words in job.status_reason
    assert not control.deserted(job.pk)  # until then
    BatchJob.objects.update(runner_lease_expires_at=None)
    assert control.deserted(job.pk)


def test_a_paused_batch_sends_nothing(economy: Make, submit: Step, claude: SimulatedClaude) -> None:
    job = economy(2)
    control.pause(job.pk)
    submit(job)
    assert remote(claude) == 0


def test_a_worker_that_is_to_end_sends_nothing_more(economy: Make, submit: Step, claude: SimulatedClaude) -> None:
    job = economy(2)
    assert submit(job, stopping=lambda: True) == [job.pk]
    assert (remote(claude), statuses(job)) == (0, ["queued"] * 2)
