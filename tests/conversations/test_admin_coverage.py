"""The coverage page: what it tells of the plan, for whom, and where its numbers lead."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.choices import Status
from conversations.coverage import fill_gaps
from conversations.models import Conversation, PromptTemplate, Workspace
from tests.admin_pages import list_of, member, outsider, page_of, queries_of
from tests.factories import ConversationFactory, DimensionFactory, PromptTemplateFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

COVERAGE = reverse("admin:conversations_coverage")
PLAN = reverse("admin:batches_batchjob_plan")


@pytest.fixture
def workspace() -> Workspace:
    made: Workspace = WorkspaceFactory()
    words = {"persona": ["Saver", "Spender"], "emotion": ["Calm", "Worried"], "topic": ["Rent"], "tone": ["Plain"]}
    for kind, names in words.items():
        for name in names:
            DimensionFactory(workspace=made, kind=kind, name=name)
    return made


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    made: PromptTemplate = PromptTemplateFactory(workspace=workspace, name="Plain talk", target_count=4)
    return made


@pytest.fixture
def curator(workspace: Workspace) -> Client:
    return member(workspace)


def page(client: Client, **query: str) -> str:
    response = client.get(COVERAGE, query)
    assert response.status_code == 200
    return str(response.content.decode())


def counted_by(client: Client, url: str) -> int:
    response = client.get(url)
    assert response.status_code == 200, url
    return int(response.context["cl"].result_count)


def test_each_number_leads_to_a_list_of_as_many_rows(curator: Client, template: PromptTemplate) -> None:
    fill_gaps(template.workspace)
    words = {"persona": "Saver", "emotion": "Calm", "topic": "Rent"}
    for status in (Status.FAILED, Status.ARCHIVED, Status.APPROVED):
        beside = {"conversation_id": f"BESIDE-{status}", "status": status}
        ConversationFactory(workspace=template.workspace, template=template, **words, **beside)
    context = curator.get(COVERAGE).context
    (tier,) = context["tiers"]
    (row,) = tier.templates
    found = [(each.number, each.url) for each in (*tier.waiting, *row.waiting, row.live)]
    found += [(each.number, each.url) for kind in context["values"] for each in kind.values]
    found += [(cell.conversations, url) for _name, cells in context["pairs"].rows for cell, url in cells if url]
    assert row.live.number == 6 and len(found) > 10
    assert {url: counted_by(curator, url) for _number, url in found} == {url: number for number, url in found}


def test_templates_stand_under_their_tier_and_lead_to_their_pages(curator: Client, template: PromptTemplate) -> None:
    rare = PromptTemplateFactory(workspace=template.workspace, name="Rare", tier="edge_case", target_count=2)
    PromptTemplateFactory(workspace=template.workspace, name="Retired", active=False, target_count=2)
    context = curator.get(COVERAGE).context
    told = {tier.label: [str(one.completion.standing.template) for one in tier.templates] for tier in context["tiers"]}
    assert told == {"Template": ["Plain talk"], "Edge case": ["Rare"]}
    assert page_of(rare) in page(curator)


def test_gaps_are_filled_for_a_tier_and_for_all(curator: Client, template: PromptTemplate) -> None:
    shown = page(curator)
    assert f'href="{PLAN}?selection=gaps" data-dialog' in shown
    assert f'href="{PLAN}?selection=gaps&amp;tier=template" data-dialog' in shown
    form = curator.get(PLAN, {"selection": "gaps", "tier": "template"}).context["form"]
    assert (form["selection"].value(), form["tier"].value()) == ("gaps", "template")


def test_a_complete_plan_has_no_gaps_to_fill(curator: Client, template: PromptTemplate) -> None:
    for place in range(4):
        values = {"slot": f"place:{place}", "status": Status.APPROVED}
        ConversationFactory(workspace=template.workspace, template=template, **values)
    shown = page(curator)
    assert "4 of 4 planned conversations are written." in shown and PLAN not in shown


def test_values_that_nobody_uses_are_told_of_first(curator: Client, template: PromptTemplate) -> None:
    conversation: Any = {"workspace": template.workspace, "template": template, "emotion": "Worried", "topic": "Rent"}
    ConversationFactory(**conversation, persona="Spender")
    ConversationFactory(**conversation, persona="A former persona")
    values = {kind.label: kind for kind in curator.get(COVERAGE).context["values"]}
    assert [(each.label, each.number) for each in values["Persona"].values] == [
        ("Saver", 0),
        ("A former persona", 1),
        ("Spender", 1),
    ]
    assert (values["Persona"].unused, values["Emotion"].unused, values["Tone"].unused) == (1, 1, 1)


@pytest.mark.parametrize(("asked", "columns"), [("persona-topic", ["Rent"]), ("nonsense", ["Calm", "Worried"])])
def test_two_kinds_are_chosen_to_be_set_against_each_other(
    curator: Client, template: PromptTemplate, asked: str, columns: list[str]
) -> None:
    assert curator.get(COVERAGE, {"pairs": asked}).context["pairs"].table.columns == columns


def test_without_a_plan_it_says_what_one_is(curator: Client, workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, target_count=0)
    shown = page(curator)
    assert "Nothing is planned yet" in shown and reverse("admin:conversations_prompttemplate_add") in shown
    assert reverse("admin:conversations_prompttemplate_add") not in page(member(workspace, "operator"))


def test_an_operator_looks_and_fills_nothing(template: PromptTemplate) -> None:
    shown = page(member(template.workspace, "operator"))
    assert "Plain talk" in shown and PLAN not in shown


def test_it_takes_the_permission_to_look_at_templates(template: PromptTemplate) -> None:
    assert member(template.workspace, without=["view_prompttemplate"]).get(COVERAGE).status_code == 403
    assert outsider().get(COVERAGE).status_code == 403
    assert Client().get(COVERAGE).status_code == 302


def test_only_the_workspace_at_hand_is_told_of(curator: Client, template: PromptTemplate) -> None:
    theirs = PromptTemplateFactory(name="Theirs", target_count=9)
    ConversationFactory(workspace=theirs.workspace, template=theirs, persona="Their persona")
    assert "Their" not in page(curator)


def test_a_superuser_in_all_workspaces_sees_them_together(admin_client: Client, template: PromptTemplate) -> None:
    PromptTemplateFactory(name="Theirs", target_count=9)
    shown = page(admin_client)
    assert "0 of 13 planned conversations" in shown and str(template.workspace) in shown and PLAN not in shown


def test_queries_are_as_many_however_much_is_planned(curator: Client, template: PromptTemplate) -> None:
    few = queries_of(curator, COVERAGE)
    for each in PromptTemplateFactory.create_batch(5, workspace=template.workspace, target_count=3):
        ConversationFactory(workspace=template.workspace, template=each, persona=f"Persona {each.pk}")
    assert len(queries_of(curator, COVERAGE)) == len(few) <= 14


@pytest.mark.parametrize(("live", "number"), [("yes", 2), ("no", 3)])
def test_the_list_of_conversations_tells_live_ones_from_others(
    curator: Client, template: PromptTemplate, live: str, number: int
) -> None:
    conversation: Any = {"workspace": template.workspace, "template": template}
    first = ConversationFactory(**conversation, status=Status.GENERATED)
    ConversationFactory(**conversation)
    for status in (Status.ARCHIVED, Status.REJECTED):
        ConversationFactory(**conversation, status=status)
    later = {"version": 2, "parent": first, "first_version": first.pk, "conversation_id": "TPL-X-v2"}
    ConversationFactory(**conversation, **later)
    assert counted_by(curator, list_of(Conversation, live=live)) == number
