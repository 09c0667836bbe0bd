"""Concurrency, priority and budget of a batch that has not ended: service, command and page."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from batches import engine
from batches.changing import change
from batches.models import BatchJob
from conversations.models import Workspace
from generation.simulated.server import SimulatedClaude
from tests.admin_pages import filled_in, member, page_of, said
from tests.background import ignore, in_background
from tests.factories import BatchItemFactory, BatchJobFactory
from tests.processes import eventually

pytestmark = pytest.mark.django_db

Make = Callable[..., BatchJob]


def job_of(status: str = "processing", **values: Any) -> BatchJob:
    return BatchJobFactory(status=status, name="Ours", **values)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("batch", "change", *arguments, stdout=out)
    return out.getvalue().strip()


@pytest.mark.parametrize("status", ["queued", "processing", "paused"])
def test_a_batch_that_has_not_ended_takes_other_values(status: str) -> None:
    job = job_of(status)
    assert change(job.pk, {"concurrent_processing": 7, "priority": "high", "budget_usd": Decimal("2.5")})
    job.refresh_from_db()
    assert (job.concurrent_processing, job.priority, job.budget_usd) == (7, "high", Decimal("2.5"))
    assert job.status == status


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_one_that_has_ended_is_left_as_it_is(status: str) -> None:
    job = job_of(status)
    assert not change(job.pk, {"priority": "high"})
    job.refresh_from_db()
    assert job.priority == "normal"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"concurrent_processing": 0}, "between 1 and 50"),
        ({"concurrent_processing": 51}, "between 1 and 50"),
        ({"priority": "urgent"}, "urgent"),
        ({"budget_usd": Decimal(-1)}, "greater than or equal to 0"),
        ({"budget_usd": Decimal("0.0000001")}, "6 decimal places"),
    ],
)
def test_impossible_values_are_refused_by_name_and_nothing_is_changed(values: dict[str, Any], told: str) -> None:
    job = job_of()
    with pytest.raises(ValidationError) as refused:
        change(job.pk, {"concurrent_processing": 5, **values})
    assert told in str(refused.value.message_dict[next(iter(values))])
    job.refresh_from_db()
    assert job.concurrent_processing == 3


def test_nothing_else_can_be_changed() -> None:
    with pytest.raises(ValueError, match="status cannot be changed"):
        change(job_of().pk, {"status": "completed"})


@pytest.mark.django_db(transaction=True)
def test_a_lower_concurrency_is_seen_while_it_runs(claude: SimulatedClaude, batch: Make) -> None:
    claude.behaviour.latency = 0.4
    job = batch(12, concurrency=4)
    runner = in_background(engine.run_slice, job.pk, on_unfinished=ignore)
    eventually(lambda: len(claude.arrivals) == 4)
    assert change(job.pk, {"concurrent_processing": 1})
    runner.join(timeout=20)
    job.refresh_from_db()
    assert (job.status, job.successful_items) == ("completed", 12)
    later = sorted(arrival.moment for arrival in claude.arrivals)[8:]
    assert later[-1] - later[0] > 0.4 * 2, "one at a time in the end"


def test_the_command_says_what_holds_now() -> None:
    job = job_of()
    told = command(str(job.pk), "--concurrency", "5", "--priority", "low", "--budget", "$2.50")
    assert told == "The batch has 5 calls in flight at most, low priority and a budget of $2.50."
    assert command(str(job.pk), "--budget", "none").endswith("low priority and no budget.")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Say what to change"),
        (["--concurrency", "0"], "between 1 and 50"),
        (["--budget", "much"], "much is no amount in USD"),
        (["--budget", "-1"], "-1 is no amount in USD"),
        (["--priority", "urgent"], "invalid choice"),
    ],
)
def test_the_command_refuses_in_words(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        command(str(job_of().pk), *arguments)


def test_the_command_changes_no_batch_that_has_ended() -> None:
    with pytest.raises(CommandError, match="The batch is completed: nothing was changed"):
        command(str(job_of("completed").pk), "--priority", "high")


def test_values_go_with_no_other_action() -> None:
    with pytest.raises(CommandError, match="go with: manage"):
        call_command("batch", "pause", str(job_of().pk), "--priority", "high")


def test_the_page_takes_other_values_and_nothing_else(operator: Client, workspace: Workspace) -> None:
    job = job_of(workspace=workspace)
    form = filled_in(operator, page_of(job))
    assert {"concurrent_processing", "priority"} == {name for name in form if not name.startswith("_")}
    BatchJob.objects.filter(pk=job.pk).update(status_reason="It went on.")
    changed = {**form, "concurrent_processing": 6, "budget_usd": "4", "status": "completed", "name": "Theirs"}
    said(operator.post(page_of(job), changed))
    job.refresh_from_db()
    assert (job.concurrent_processing, job.budget_usd) == (6, 4)
    assert (job.status, job.name, job.status_reason) == ("processing", "Ours", "It went on.")


def test_the_page_says_beside_the_field_what_is_wrong(operator: Client, workspace: Workspace) -> None:
    job = job_of(workspace=workspace)
    response = operator.post(page_of(job), filled_in(operator, page_of(job), concurrent_processing=51))
    assert "between 1 and 50" in str(response.context["adminform"].form.errors["concurrent_processing"])


def test_the_page_of_an_ended_batch_has_nothing_to_change(operator: Client, workspace: Workspace) -> None:
    job = job_of("completed", workspace=workspace)
    page = operator.get(page_of(job))
    assert 'name="priority"' not in page.content.decode()
    assert operator.post(page_of(job), {"priority": "high"}).status_code == 403


def test_who_may_not_steer_changes_nothing(workspace: Workspace) -> None:
    job = job_of(workspace=workspace)
    onlooker = member(workspace, "operator", without=["change_batchjob"])
    assert onlooker.get(page_of(job)).status_code == 200
    assert onlooker.post(page_of(job), {"priority": "high"}).status_code == 403


def test_a_batch_that_ends_while_its_page_is_open_is_left_alone(operator: Client, workspace: Workspace) -> None:
    job = job_of(workspace=workspace)
    form = filled_in(operator, page_of(job), priority="high")
    BatchJob.objects.filter(pk=job.pk).update(status="completed")
    assert operator.post(page_of(job), form).status_code == 403
    job.refresh_from_db()
    assert job.priority == "normal"


# --- Buttons on a batch's page


def steer(browser: Client, job: BatchJob, act: str) -> list[str]:
    return said(browser.post(page_of(job, "steer"), {"act": act}))


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("queued", {"cancel"}),
        ("processing", {"pause", "retry_failed_items", "cancel"}),
        ("paused", {"resume", "retry_failed_items", "cancel"}),
        ("completed", set()),
    ],
)
def test_the_page_offers_what_can_be_done(
    operator: Client, workspace: Workspace, status: str, offered: set[str]
) -> None:
    job = job_of(status, workspace=workspace)
    if status not in ("queued", "completed"):
        BatchItemFactory(job=job, status="failed")
    page = operator.get(page_of(job)).content.decode()
    buttons = {act for act in ("pause", "resume", "cancel", "retry_failed_items") if f'id="act-{act}"' in page}
    assert buttons == offered


def test_its_buttons_steer(operator: Client, workspace: Workspace) -> None:
    job = job_of(workspace=workspace)
    for act, done, status in (
        ("pause", "paused", "paused"),
        ("resume", "resumed", "processing"),
        ("cancel", "cancelled", "cancelled"),
    ):
        assert steer(operator, job, act)[-1] == f"“Ours” is {done}."
        job.refresh_from_db()
        assert job.status == status


def test_a_button_that_comes_too_late_says_how_it_stands(operator: Client, workspace: Workspace) -> None:
    assert steer(operator, job_of("completed", workspace=workspace), "pause") == [
        "“Ours” is completed now. Look again."
    ]


def test_buttons_are_for_those_who_may_steer_here(operator: Client, workspace: Workspace) -> None:
    job = job_of(workspace=workspace)
    onlooker = member(workspace, "curator", without=["change_batchjob"])
    assert 'name="act"' not in onlooker.get(page_of(job)).content.decode()
    assert onlooker.post(page_of(job, "steer"), {"act": "pause"}).status_code == 403
    assert operator.post(page_of(job_of(), "steer"), {"act": "pause"}).status_code == 404  # of another workspace
    assert operator.get(page_of(job, "steer")).status_code == 405
