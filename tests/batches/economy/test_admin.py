"""Message batches in the admin: to look at."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from batches import control
from batches.models import BatchItem, MessageBatch
from generation.simulated.server import SimulatedClaude
from tests.admin_pages import list_of, member, page_of
from tests.batches.economy.conftest import DONE, Make
from tests.factories import WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)
Step = Callable[..., Any]


def read(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def test_a_batchs_page_lists_its_message_batches(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude, admin_client: Client, settings: Any
) -> None:
    settings.ECONOMY_CHUNK_REQUESTS = 2
    claude.behaviour.batch_script.extend(["expired", "400"])
    job = economy(3)
    submit(job)
    shown = read(admin_client, page_of(job))
    assert "2 message batches with 3 requests are at Claude, who answers within a day." in shown
    for one in MessageBatch.objects.all():
        assert one.remote_id in shown
    assert "Message batches:" in shown and "In progress" in shown
    claude.clock.advance(DONE)
    collect(job)
    shown = read(admin_client, page_of(job))
    assert "0 succeeded, 1 errored, 1 expired" in shown and "1 succeeded" in shown and "Read" in shown


def test_before_the_first_is_sent_the_page_says_so(economy: Make, admin_client: Client) -> None:
    assert "None was sent yet." in read(admin_client, page_of(economy(1)))


def test_a_live_batch_says_nothing_of_message_batches(batch: Make, admin_client: Client) -> None:
    assert "Message batches:" not in read(admin_client, page_of(batch(1)))


def test_the_list_and_the_page_of_a_message_batch(economy: Make, submit: Step, admin_client: Client) -> None:
    job = economy(2)
    submit(job)
    one = MessageBatch.objects.get()
    MessageBatch.objects.update(last_error="Claude cannot be reached.")
    listed = read(admin_client, list_of(MessageBatch))
    assert one.remote_id in listed and "Claude cannot be reached." in listed
    shown = read(admin_client, page_of(one))
    assert "Claude writes." in shown and "its 2 items" in shown and "Claude cannot be reached." in shown
    mine = {"message_batch__id__exact": one.pk}
    assert admin_client.get(list_of(BatchItem), mine).context["cl"].result_count == 2
    assert 'name="_save"' not in shown


def test_a_member_sees_those_of_her_workspace_alone(economy: Make, submit: Step) -> None:
    job = economy(1)
    submit(job)
    one = MessageBatch.objects.get()
    assert one.remote_id in read(member(job.workspace, "operator"), list_of(MessageBatch))
    stranger = member(WorkspaceFactory())
    assert one.remote_id not in read(stranger, list_of(MessageBatch))
    assert stranger.get(page_of(one)).status_code == 302  # as for what is not there


def test_a_lead_deletes_an_ended_batch_with_its_message_batches_and_none_that_still_holds_items(
    economy: Make, submit: Step, collect: Step, claude: SimulatedClaude
) -> None:
    job = economy(2)
    lead = member(job.workspace, "lead")
    submit(job)
    control.cancel(job.pk)
    assert lead.post(page_of(job, "delete"), {"post": "yes"}).status_code == 403  # results may still come
    claude.clock.advance(DONE)
    collect(job)
    assert lead.post(page_of(job, "delete"), {"post": "yes"}).status_code == 302
    assert not MessageBatch.objects.exists() and not BatchItem.objects.exists()
