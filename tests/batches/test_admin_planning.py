"""Where a batch begins: the form, its plan, the last question and the start; and the ways that lead there."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from batches.models import BatchJob
from batches.wizard.offered import offers
from batches.wizard.steps import job_url, plan_url
from conversations.coverage import completion
from conversations.models import Conversation, Workspace
from tests.admin_pages import list_of, member, outsider, page_of, run
from tests.factories import (
    BatchItemFactory,
    BatchJobFactory,
    ConversationFactory,
    DimensionFactory,
    PromptTemplateFactory,
    WorkspaceFactory,
    batch_of,
)
from tests.statuses import put

pytestmark = pytest.mark.django_db

WAYS = (Conversation, BatchJob)
PREVIEW, CONFIRM, START = (reverse(f"admin:batches_batchjob_{step}") for step in ("preview", "confirm", "start"))


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


def filled_in(client: Client, **changes: Any) -> dict[str, Any]:
    """What a browser would send of the first step as it is opened, with some changes."""
    return sent(client.get(plan_url(**changes)))


def sent(response: Any) -> dict[str, Any]:
    """What a browser would send of the form in a step."""
    values = {bound.html_name: bound.value() for bound in response.context["form"]}
    plan = response.context.get("plan")
    given = {name: value for name, value in values.items() if value is not None}
    return {**given, "agreed": plan.fingerprint if plan else ""}


def planned(client: Client, **changes: Any) -> Any:
    """The second step."""
    return client.post(PREVIEW, filled_in(client, **changes))


def agreed(client: Client, **changes: Any) -> dict[str, Any]:
    """What a browser would send of the third step."""
    return sent(client.post(CONFIRM, sent(planned(client, **changes))))


def shown(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


# --- The plan


def test_the_page_opens_without_a_plan_and_asks_what_to_generate(curator: Client) -> None:
    response = curator.get(plan_url())
    assert "plan" not in response.context
    page = shown(response)
    assert "Nothing is created or spent before you have seen the plan." in page
    assert f'action="{PREVIEW}"' in page and START not in page


def test_each_tier_tells_what_is_written_and_what_is_to_generate(curator: Client, workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=5)
    slots = {"persona": "Careful saver", "emotion": "Anxious", "topic": "Debt"}
    for number, status in enumerate(["approved", "approved", "draft", "failed"]):
        ConversationFactory(workspace=workspace, template=template, status=status, slot=f"slot {number}", **slots)
    ConversationFactory(workspace=workspace, template=template, status="failed")  # outside the plan
    PromptTemplateFactory(workspace=workspace, tier="edge_case", target_count=2)
    tiers = {choice.offer.tier: choice.offer for choice in curator.get(plan_url()).context["tiers"]}
    assert [(tier.written, tier.target, tier.lacking) for tier in tiers.values()] == [
        (2, 7, 6),
        (2, 5, 4),
        (0, 0, 0),
        (0, 2, 2),
    ]
    assert tiers["template"].lacking == planned(curator, tier="template").context["plan"].total
    page = shown(curator.get(plan_url()))
    assert "2 of 5 written" in page and "4 to generate" in page and "Nothing planned" in page


def test_the_plan_is_shown_with_numbers_costs_and_time_and_nothing_is_created(
    curator: Client, workspace: Workspace
) -> None:
    PromptTemplateFactory(workspace=workspace, name="Grief", target_count=4)
    DimensionFactory(workspace=workspace, kind="persona")
    response = planned(curator, selection="gaps")
    assert response.context["plan"].total == 4
    page = shown(response)
    assert "Grief" in page
    assert "About $0.0" in page and "Within a day, usually within an hour" in page
    assert "nothing will be paid" in page
    assert f'action="{CONFIRM}"' in page and START not in page
    assert (BatchJob.objects.count(), Conversation.objects.count()) == (0, 0)


def test_the_configuration_is_told_in_words(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    how = {"concurrency": 4, "budget_usd": "2.5", "error_handling": "stop", "shared_parameters": "city = Oslo"}
    response = planned(curator, selection="drafts", model="claude-opus-5-5", priority="high", **how)
    assert dict(response.context["review"]) == {
        "Generates": "Drafts only, all tiers",
        "At the same time": "4 conversations",
        "If one fails": "Stop at the first failure",
        "Budget": "$2.50; it pauses before it would cost more",
        "Claude’s settings": "claude-opus-5-5",
        "Values for all": "city = Oslo",
        "Priority": "high",
    }


def test_going_back_keeps_all_values(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    chosen = {"selection": "drafts", "concurrency": "5", "budget_usd": "2.5", "shared_parameters": "city = Oslo"}
    plan = sent(planned(curator, **chosen))
    for response in (curator.post(plan_url(), plan), curator.post(PREVIEW, sent(curator.post(CONFIRM, plan)))):
        values = sent(response)
        assert {name: str(values[name]) for name in chosen} == chosen


def test_more_than_the_slider_has_goes_before_it(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    order = planned(curator, selection="drafts", concurrency=2, more_at_once=20).context["plan"].order
    assert order.concurrency == 20
    wide = shown(curator.get(plan_url(concurrency=12)))
    assert 'type="range"' in wide and 'max="12"' in wide


def test_the_last_question_says_what_happens_and_what_it_costs_at_most(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    plan = sent(planned(curator, selection="drafts"))
    page = shown(curator.post(CONFIRM, plan))
    assert "Claude writes <strong>1 conversation</strong>" in page and f'action="{START}"' in page
    assert "at most. No budget stops it there." in page
    economy = sent(planned(curator, selection="drafts", delivery="economy"))
    assert "</strong>, within a day, usually within an hour." in shown(curator.post(CONFIRM, economy))
    capped = sent(planned(curator, selection="drafts", budget_usd="2.5"))
    assert "It pauses before it would cost more than your budget of $2.50." in shown(curator.post(CONFIRM, capped))


@pytest.mark.parametrize("step", [PREVIEW, CONFIRM, START])
def test_an_address_of_a_later_step_leads_to_the_first(curator: Client, step: str) -> None:
    assert curator.get(step, {"tier": "template"}).url == plan_url(tier="template")


def test_an_address_with_values_fills_in_the_form(curator: Client, workspace: Workspace) -> None:
    ConversationFactory.create_batch(2, workspace=workspace)
    ConversationFactory(workspace=workspace, status="failed")
    assert planned(curator, selection="drafts").context["plan"].total == 2
    nothing = planned(curator, selection="failed", tier="scenario")
    assert nothing.context["plan"].total == 0
    assert "Nothing to generate" in shown(nothing) and START not in shown(nothing)
    assert "Nothing to generate" in shown(curator.post(START, sent(nothing)))


def test_warnings_stand_beside_the_plan(curator: Client, workspace: Workspace, settings: Any) -> None:
    settings.BATCH_COST_WARNING_USD = 0.001
    ConversationFactory(workspace=workspace)
    assert "above which you are warned" in shown(planned(curator, selection="drafts"))
    assert "above which you are warned" in shown(curator.post(CONFIRM, sent(planned(curator, selection="drafts"))))


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"concurrency": "0"}, "greater than or equal to 1"),
        ({"concurrency": "1000"}, "between 1 and 50 conversations can be generated, not 1000."),
        ({"more_at_once": "51"}, "between 1 and 50 conversations can be generated, not 51."),
        ({"selection": "chosen", "chosen": " "}, "Name at least one conversation."),
        ({"selection": "chosen", "chosen": "TPL-9999"}, "There is no conversation TPL-9999"),
        ({"shared_parameters": "oslo"}, "Each line is a name, =, and a value, unlike: oslo"),
        ({"model": "claude-sonnet-5-5", "temperature": "0.5"}, "is not taken by claude-sonnet-5-5"),
        ({"of_batch": "nonsense"}, "Select a valid choice"),
    ],
    ids=str,
)
def test_what_cannot_work_is_said_and_nothing_can_be_started(
    curator: Client, workspace: Workspace, values: dict[str, str], complaint: str
) -> None:
    ConversationFactory(workspace=workspace)
    for step in (PREVIEW, CONFIRM, START):
        page = shown(curator.post(step, {**filled_in(curator, selection="drafts"), **values}))
        assert complaint in page and f'action="{PREVIEW}"' in page
    assert not BatchJob.objects.exists()


def test_a_plan_that_is_too_large_names_the_target_that_is_too_high(curator: Client, workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, name="Budget", target_count=1_000_000)
    page = shown(curator.post(START, filled_in(curator, selection="gaps")))
    assert "“Budget” alone lacks 1,000,000: lower its target" in page
    assert not BatchJob.objects.exists()


# --- The start


@pytest.mark.django_db(transaction=True)
def test_what_was_shown_is_started_as_it_was_chosen(curator: Client, workspace: Workspace) -> None:
    ConversationFactory.create_batch(2, workspace=workspace)
    how = {"concurrency": 5, "priority": "high", "error_handling": "stop", "budget_usd": "2.50", "max_attempts": 2}
    asked = {"model": "claude-opus-5-5", "effort": "low", "shared_parameters": "city = Oslo"}
    response = curator.post(START, agreed(curator, selection="drafts", **how, **asked))
    job = BatchJob.objects.get()
    assert response.url == job_url("progress", job, changed="yes")
    assert (job.workspace, job.total_items, job.status) == (workspace, 2, "processing")
    assert (job.concurrent_processing, job.priority, job.error_handling) == (5, "high", "stop")
    assert (str(job.budget_usd), job.max_attempts) == ("2.500000", 2)
    assert (job.model, job.effort, job.shared_parameters) == ("claude-opus-5-5", "low", {"city": "Oslo"})
    assert job.created_by is not None and job.created_by.username.startswith("curator")
    assert job.estimate["conversations"] == 2
    assert [entry.task["args"] for entry in OrmQ.objects.all()] == [(str(job.pk),)]


def test_a_plan_that_changed_meanwhile_is_shown_anew(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    preview, last = sent(planned(curator, selection="drafts")), agreed(curator, selection="drafts")
    ConversationFactory(workspace=workspace)
    for response in (curator.post(CONFIRM, preview), curator.post(START, last)):
        assert "has changed since it was shown" in shown(response)
        assert response.context["plan"].total == 2
    assert not BatchJob.objects.exists()
    assert curator.post(START, sent(response)).status_code == 302
    assert BatchJob.objects.get().total_items == 2


def test_settings_that_were_changed_after_the_plan_are_shown_first(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    data = {**agreed(curator, selection="drafts"), "model": "claude-opus-5-5"}
    assert "has changed since it was shown" in shown(curator.post(START, data))
    assert not BatchJob.objects.exists()


def test_without_a_plan_that_was_shown_nothing_is_started(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    data = filled_in(curator, selection="drafts")
    assert "has changed since it was shown" in shown(curator.post(START, data))
    assert not BatchJob.objects.exists()


def test_looking_at_an_address_starts_nothing(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    data = agreed(curator, selection="drafts")
    assert curator.get(START, data).status_code == 302
    assert not BatchJob.objects.exists()


# --- Whose it is


def test_who_may_not_generate_sees_neither_page_nor_button(workspace: Workspace) -> None:
    client = member(workspace, "curator", without=["add_batchjob"])
    job = batch_of("failed", workspace=workspace, status="completed")
    assert client.get(plan_url()).status_code == 403
    assert [client.post(step).status_code for step in (PREVIEW, CONFIRM, START)] == [403, 403, 403]
    pages = [*(list_of(model) for model in WAYS), page_of(job)]
    assert [page for page in pages if urlsplit(plan_url()).path in client.get(page).content.decode()] == []
    action = {"action": "generate_selected", "_selected_action": [ConversationFactory(workspace=workspace).pk]}
    assert "plan" not in (client.post(list_of(Conversation), action).context or {})
    assert BatchJob.objects.count() == 1


def test_operators_look_after_batches_and_begin_none(workspace: Workspace) -> None:
    assert member(workspace, "operator").get(plan_url()).status_code == 403


def test_who_is_a_member_of_no_workspace_is_refused() -> None:
    assert outsider().get(plan_url()).status_code == 403


def test_another_workspaces_conversations_and_batches_do_not_exist(curator: Client, workspace: Workspace) -> None:
    foreign = ConversationFactory()
    page = shown(planned(curator, selection="chosen", chosen=foreign.pk))
    assert f"There is no conversation {foreign.pk}" in page
    other = batch_of("failed", status="completed")
    assert "Select a valid choice" in shown(planned(curator, selection="failed", of_batch=other.pk))


def test_whoever_has_switched_to_another_workspace_is_told(curator: Client, workspace: Workspace) -> None:
    data = {**filled_in(curator, selection="drafts"), "workspace": WorkspaceFactory().pk}
    assert "You have switched to another workspace" in shown(curator.post(PREVIEW, data))


def test_who_looks_at_all_workspaces_chooses_one(admin_client: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    ConversationFactory()
    response = admin_client.get(plan_url(selection="drafts", workspace=workspace.pk))
    assert '<select name="workspace"' in shown(response)
    assert f"The numbers below are those of {workspace}." in shown(response)
    assert planned(admin_client, selection="drafts", workspace=workspace.pk).context["plan"].total == 1


# --- The ways there


@pytest.mark.parametrize("model", WAYS, ids=lambda model: model.__name__)
def test_a_button_leads_there(curator: Client, model: type[BatchJob]) -> None:
    assert f'href="{plan_url()}"' in curator.get(list_of(model)).content.decode()


def test_an_ended_batch_with_failed_ones_offers_to_regenerate_them(curator: Client, workspace: Workspace) -> None:
    job = batch_of("completed", workspace=workspace, status="completed")
    failed = ConversationFactory(workspace=workspace, status="failed")
    ConversationFactory(workspace=workspace, status="failed")  # of no batch
    assert "Regenerate failed" not in curator.get(page_of(job)).content.decode()
    BatchItemFactory(job=job, conversation=failed, status="failed")
    url = plan_url(selection="failed", of_batch=job.pk)
    assert url.replace("&", "&amp;") in curator.get(page_of(job)).content.decode()
    plan = curator.post(PREVIEW, sent(curator.get(url))).context["plan"]
    assert [each.key for each in plan.taken.existing] == [failed.pk]


def test_a_batch_at_work_does_not_offer_it(curator: Client, workspace: Workspace) -> None:
    job = batch_of("failed", "queued", workspace=workspace, status="processing")
    assert "Regenerate failed" not in curator.get(page_of(job)).content.decode()


def test_an_old_batch_is_offered_where_it_is_asked_for(curator: Client, workspace: Workspace) -> None:
    old = batch_of("failed", workspace=workspace, status="completed", name="The first one")
    for _ in range(21):
        batch_of("failed", workspace=workspace, status="completed")
    assert "The first one" not in shown(curator.get(plan_url()))
    assert "The first one" in shown(curator.get(plan_url(selection="failed", of_batch=old.pk)))


def test_selected_conversations_are_planned_and_started_from_there(curator: Client, workspace: Workspace) -> None:
    drafts = [ConversationFactory(workspace=workspace), ConversationFactory(workspace=workspace, status="failed")]
    ConversationFactory(workspace=workspace)
    action = {"action": "generate_selected", "_selected_action": [draft.pk for draft in drafts]}
    response = curator.post(list_of(Conversation), action)
    assert response.context["plan"].total == 2
    assert not BatchJob.objects.exists()
    assert curator.post(START, sent(curator.post(CONFIRM, sent(response)))).status_code == 302
    job = BatchJob.objects.get()
    assert (job.selection, job.workspace) == ("chosen", workspace)
    assert set(job.items.values_list("conversation_id", flat=True)) == {draft.pk for draft in drafts}


def test_of_the_selected_what_is_made_already_is_refused_by_name(curator: Client, workspace: Workspace) -> None:
    made = ConversationFactory(workspace=workspace, status="approved")
    page = shown(curator.post(list_of(Conversation), {"action": "generate_selected", "_selected_action": [made.pk]}))
    assert "Approved: only drafts and failed ones can be generated." in page
    assert made.conversation_id in page
    assert not BatchJob.objects.exists()


def test_a_batch_has_one_workspace(admin_client: Client) -> None:
    (message,) = run(admin_client, "generate_selected", [ConversationFactory(), ConversationFactory()])
    assert message.startswith("Choose conversations of one workspace")


def test_selected_in_all_workspaces_at_once_they_are_planned_in_theirs(admin_client: Client) -> None:
    WorkspaceFactory(name="A first one")
    draft = ConversationFactory()
    action = {"action": "generate_selected", "_selected_action": [draft.pk]}
    plan = admin_client.post(list_of(Conversation), action).context["plan"]
    assert (plan.order.workspace, plan.total) == (draft.workspace, 1)


def test_conversations_of_another_workspace_cannot_be_selected(curator: Client) -> None:
    (message,) = run(curator, "generate_selected", [ConversationFactory()])
    assert message.startswith("Choose conversations")


# --- The batch's page, and what it takes to know


def test_a_batchs_page_tells_its_estimate_and_what_came_of_it(curator: Client, workspace: Workspace) -> None:
    ConversationFactory(workspace=workspace)
    curator.post(START, agreed(curator, selection="drafts"))
    job = BatchJob.objects.get()
    page = shown(curator.get(page_of(job)))
    assert "About $0.0" in page and "reckoned from lengths" in page
    job.items.update(status="processing")
    job.items.update(status="completed")
    assert "Estimated $0.0" in shown(curator.get(page_of(job)))
    assert "reckoned" not in shown(curator.get(page_of(BatchJobFactory(workspace=workspace))))


def test_it_takes_the_same_queries_for_many_as_for_few(curator: Client, workspace: Workspace) -> None:
    counts = []
    for size in (1, 8):
        for template in PromptTemplateFactory.create_batch(size, workspace=workspace, target_count=size):
            ConversationFactory.create_batch(size, workspace=workspace, template=template)
        with CaptureQueriesContext(connection) as captured:
            assert planned(curator, selection="gaps").context["plan"].total
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_it_has_an_address_of_its_own() -> None:
    assert plan_url() == reverse("admin:batches_batchjob_changelist") + "plan/"


def test_a_number_beyond_all_measure_is_refused_and_breaks_nothing(curator: Client) -> None:
    assert curator.get(plan_url(concurrency="9" * 5_000)).status_code == 200


def test_the_tiers_are_as_far_as_the_dashboard_says(curator: Client, workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace, target_count=4)
    for place, status in enumerate(["generating", "generated", "failed"]):
        made = ConversationFactory(workspace=workspace, template=template, slot=f"place:{place}")
        put(made, status, claim=made.pk if status == "generating" else None)
    offer = {each.tier: each for each in offers(workspace)}["template"]
    (tier,) = completion(workspace).tiers
    assert (offer.written, offer.gaps, offer.target) == (tier.written, tier.gaps, tier.target) == (1, 1, 4)
    assert offer.lacking == 2  # the gap, and what failed
