"""The first page: what it counts, for whom, and where its numbers lead."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.choices import Status
from conversations.coverage import fill_gaps
from conversations.models import Conversation, PromptTemplate, Workspace
from generation.models import GenerationLog
from tests.admin_pages import member, outsider, queries_of
from tests.factories import (
    ConversationFactory,
    DimensionFactory,
    GenerationLogFactory,
    PromptTemplateFactory,
    WorkspaceFactory,
    batch_of,
)

pytestmark = pytest.mark.django_db

DASHBOARD, RUNNING = reverse("admin:index"), reverse("admin:dashboard_running")


@pytest.fixture
def workspace() -> Workspace:
    made: Workspace = WorkspaceFactory()
    for kind, name in (("persona", "Careful saver"), ("persona", "Spender"), ("emotion", "Anxious")):
        DimensionFactory(workspace=made, kind=kind, name=name)
    return made


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    made: PromptTemplate = PromptTemplateFactory(workspace=workspace, target_count=5)
    return made


@pytest.fixture
def curator(workspace: Workspace) -> Client:
    return member(workspace)


def conversation(template: PromptTemplate, **values: Any) -> Conversation:
    made: Conversation = ConversationFactory(workspace=template.workspace, template=template, **values)
    return made


def opened(client: Client) -> Any:
    response = client.get(DASHBOARD)
    assert response.status_code == 200
    return response


def page(client: Client) -> str:
    return str(opened(client).content.decode())


def counted_by(client: Client, url: str) -> int:
    """How many rows the list at the address has."""
    response = client.get(url)
    assert response.status_code == 200, url
    return int(response.context["cl"].result_count)


# --- Where numbers lead


@pytest.fixture
def various(template: PromptTemplate) -> None:
    """Conversations of every status and many scores, in use and not, and requests for them."""
    for place, status in enumerate(status for status in Status if status != Status.GENERATING):
        for score in (None, 0.0, 3.9, 6.0, 7.9, 8.0, 9.9, 10.0)[: place + 1]:
            unwritten = status in (Status.DRAFT, Status.FAILED)
            made = conversation(template, status=status, quality_score=None if unwritten else score)
            GenerationLogFactory(conversation=made, cost_usd="0.5")
            GenerationLogFactory(conversation=made, status="failed", model="simulated-claude-sonnet-5-5")
    first = conversation(template, status=Status.GENERATED, persona="Spender")
    later = {"version": 2, "parent": first, "first_version": first.pk, "conversation_id": "TPL-X-v2"}
    conversation(template, status=Status.DRAFT, persona="Spender", **later)


def leads(context: Any) -> Iterator[tuple[int, str]]:
    """Each number of the page, and the address of the list that it leads to."""
    yield from ((each.number, each.url) for each in context["statuses"])
    yield from ((each.number, each.url) for each in context["quality"]["ranges"])
    yield context["waiting"], context["review_url"]
    for tier in context["tiers"]:
        yield from ((each.number, each.url) for each in tier.waiting)
    for _name, cells in context["pairs"].rows:
        yield from ((cell.conversations, url) for cell, url in cells if url)
    spend = context["spend"]
    yield spend["total"].spent.requests, spend["total"].url
    yield spend["total"].spent.failed, spend["failed_url"]
    yield from ((day.spent.requests, day.url) for day in spend["days"])


def test_each_number_leads_to_a_list_of_as_many_rows(curator: Client, various: None) -> None:
    found = list(leads(opened(curator).context))
    assert len(found) > 25
    assert {url: counted_by(curator, url) for _number, url in found} == {url: number for number, url in found}


# --- What is shown


def test_tiers_tell_how_far_they_are_and_fill_their_gaps(curator: Client, template: PromptTemplate) -> None:
    fill_gaps(template.workspace)
    Conversation.objects.filter(workspace=template.workspace).first().delete()
    shown = page(curator)
    assert "0 of 5 written" in shown and "1 gap<" in shown and "4 drafts" in shown
    assert f'href="{reverse("admin:batches_batchjob_plan")}?selection=gaps&amp;tier=template" data-dialog' in shown


def test_a_complete_tier_has_nothing_to_fill(curator: Client, template: PromptTemplate) -> None:
    for place in range(5):
        conversation(template, status=Status.APPROVED, slot=f"place:{place}")
    shown = page(curator)
    assert "5 of 5 written" in shown and "complete" in shown and "Nothing is missing." in shown
    assert "Fill gaps" not in shown


def test_the_lowest_scores_that_wait_for_review_come_first(curator: Client, template: PromptTemplate) -> None:
    for score in (5.1, 3.2, 5.9, 4.0, 2.0, 5.5):
        conversation(template, status=Status.PENDING_REVIEW, quality_score=score)
    context = opened(curator).context
    assert [float(one.quality_score) for one in context["weakest"]] == [2.0, 3.2, 4.0, 5.1, 5.5]
    assert context["waiting"] == 6


def test_with_an_empty_queue_all_is_caught_up(curator: Client, template: PromptTemplate) -> None:
    conversation(template, status=Status.APPROVED)
    assert "All caught up" in page(curator)


def test_what_was_paid_and_what_is_simulated_are_told_apart(curator: Client, template: PromptTemplate) -> None:
    made = conversation(template, status=Status.GENERATED, simulated=True)
    GenerationLogFactory(conversation=made, cost_usd="1.25")
    GenerationLogFactory(conversation=made, cost_usd="7.50", model="simulated-claude-sonnet-5-5")
    shown = page(curator)
    assert "<dd>$1.25</dd>" in shown and "<dd>$7.50</dd>" in shown
    assert shown.count("badge-simulated") >= 2 and "they are not training data" in shown


def test_where_nothing_is_simulated_nobody_speaks_of_it(curator: Client, template: PromptTemplate) -> None:
    GenerationLogFactory(conversation=conversation(template, status=Status.GENERATED), cost_usd="1.25")
    figures = page(curator).split("<main")[1].split("</main>")[0]  # above them stands what answers now
    assert "simulated" not in figures.replace('<th scope="col" class="number">Simulated</th>', "")


def test_one_failure_among_thousands_is_not_rounded_away(curator: Client, template: PromptTemplate) -> None:
    made = conversation(template)
    rows = [GenerationLogFactory.build(conversation=made, workspace=template.workspace) for _each in range(2000)]
    GenerationLog.objects.bulk_create(rows)
    GenerationLogFactory(conversation=made, status="failed")
    assert opened(curator).context["spend"]["success"] == "99.9 %"


# --- Running batches


def test_a_running_batch_is_asked_for_again_and_a_paused_one_is_not(curator: Client, workspace: Workspace) -> None:
    job = batch_of(
        "completed", "failed", "queued", "queued", workspace=workspace, status="processing", name="Night run"
    )
    shown = page(curator)
    assert "Night run" in shown and "2 of 4" in shown and 'hx-trigger="every 2s"' in shown
    type(job).objects.filter(pk=job.pk).update(status="paused")
    assert "Night run" in page(curator) and "every 2s" not in page(curator)


def test_when_the_last_batch_has_ended_asking_ends_and_the_figures_are_stale(
    curator: Client, workspace: Workspace
) -> None:
    job = batch_of("queued", workspace=workspace, status="processing")
    going_on = curator.get(RUNNING)
    assert "every 2s" in going_on.content.decode() and "HX-Trigger" not in going_on.headers
    type(job).objects.filter(pk=job.pk).update(status="completed")
    ended = curator.get(RUNNING)
    assert "every 2s" not in ended.content.decode() and "batches-rested" in ended.headers["HX-Trigger"]


def test_without_a_running_batch_there_is_no_card_for_it(curator: Client, workspace: Workspace) -> None:
    batch_of("completed", workspace=workspace, status="completed")
    assert "Running batches" not in page(curator)


def test_of_many_batches_those_at_work_come_first(curator: Client, workspace: Workspace) -> None:
    for name, status in (("waits", "queued"), ("rests", "paused"), ("works", "processing"), *[("more", "queued")] * 4):
        batch_of("queued", workspace=workspace, status=status, name=name)
    found = opened(curator).context["batches"]
    assert [batch.job.name for batch in found.shown] == ["works", "rests", "waits", "more", "more"]
    assert found.more == 2


# --- For whom


def test_a_new_workspace_is_told_of_three_steps(curator: Client, template: PromptTemplate) -> None:
    shown = page(curator)
    assert "in three steps" in shown and "Yours plan 5 conversations" in shown
    conversation(template)
    assert "in three steps" not in page(curator)


def test_without_templates_the_first_step_is_to_add_one(curator: Client, workspace: Workspace) -> None:
    assert reverse("admin:conversations_prompttemplate_add") in page(curator)
    operator = page(member(workspace, "operator"))
    assert "in three steps" in operator and reverse("admin:conversations_prompttemplate_add") not in operator


@pytest.mark.parametrize(
    ("role", "generates", "reviews"),
    [("curator", True, False), ("reviewer", True, True), ("operator", False, False), ("lead", True, True)],
)
def test_buttons_are_those_of_the_role(template: PromptTemplate, role: str, generates: bool, reviews: bool) -> None:
    conversation(template, status=Status.PENDING_REVIEW)
    shown = page(member(template.workspace, role))
    head = shown[shown.index('<div class="page-head">') : shown.index('id="content-main"')]
    assert ("Generate all" in head) is generates
    assert ("Fill gaps" in shown) is generates
    assert (">Review" in head) is reviews


@pytest.mark.parametrize(
    ("lacking", "gone"),
    [
        ("view_conversation", "statuses-title"),
        ("view_prompttemplate", "tier-template"),
        ("view_generationlog", "spend-title"),
        ("view_batchjob", "running-title"),
    ],
)
def test_without_a_permission_its_part_is_left_out(template: PromptTemplate, lacking: str, gone: str) -> None:
    GenerationLogFactory(conversation=conversation(template))
    batch_of("queued", workspace=template.workspace, status="processing")
    assert gone in page(member(template.workspace))
    assert gone not in page(member(template.workspace, without=[lacking]))


def test_who_may_not_look_at_batches_may_not_follow_them(workspace: Workspace) -> None:
    assert member(workspace, without=["view_batchjob"]).get(RUNNING).status_code == 403
    assert Client().get(RUNNING).status_code == 302


def test_staff_without_a_role_are_told_so(workspace: Workspace) -> None:
    nobody = member(
        workspace, without=["view_conversation", "view_prompttemplate", "view_generationlog", "view_batchjob"]
    )
    assert "Nothing to see here" in page(nobody)


def test_a_member_of_no_workspace_counts_nothing(workspace: Workspace) -> None:
    assert "You are not a member of any workspace yet" in page(outsider())


def test_only_the_workspace_at_hand_is_counted(curator: Client, template: PromptTemplate) -> None:
    conversation(template, status=Status.APPROVED, quality_score=9)
    theirs = PromptTemplateFactory(target_count=7)
    GenerationLogFactory(conversation=conversation(theirs, status=Status.APPROVED, quality_score=2), cost_usd=3)
    batch_of("queued", workspace=theirs.workspace, status="processing", name="Theirs")
    context = opened(curator).context
    assert (context["tally"].conversations, context["tally"].average) == (1, 9.0)
    assert context["plan"].target == 5 and context["spend"]["total"].spent.requests == 0
    assert not context["batches"].shown and "Theirs" not in curator.get(RUNNING).content.decode()


def test_a_superuser_in_all_workspaces_sees_their_sum_and_fills_no_gaps(
    admin_client: Client, template: PromptTemplate
) -> None:
    conversation(template, status=Status.APPROVED)
    other = PromptTemplateFactory(target_count=7)
    conversation(other, status=Status.APPROVED)
    response = opened(admin_client)
    assert (response.context["plan"].target, response.context["tally"].conversations) == (12, 2)
    assert "All workspaces together" in response.content.decode() and "Fill gaps" not in response.content.decode()


# --- How fast


def test_queries_are_as_many_however_much_there_is(curator: Client, template: PromptTemplate) -> None:
    GenerationLogFactory(conversation=conversation(template, status=Status.PENDING_REVIEW, simulated=True))
    batch_of("queued", workspace=template.workspace, status="processing")
    few = queries_of(curator, DASHBOARD)
    for each in PromptTemplateFactory.create_batch(4, workspace=template.workspace, target_count=3, tier="scenario"):
        for status in (Status.DRAFT, Status.PENDING_REVIEW, Status.APPROVED):
            made = conversation(each, status=status, quality_score=4, persona=f"Persona {each.pk}")
            GenerationLogFactory(conversation=made)
    for _each in range(3):
        batch_of("queued", "queued", workspace=template.workspace, status="processing")
    many = queries_of(curator, DASHBOARD)
    assert len(many) == len(few) <= 20, "\n".join(many)
