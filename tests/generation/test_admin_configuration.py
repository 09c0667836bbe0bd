"""How Claude is asked, on the pages of templates and workspaces."""

from typing import Any

import pytest
from django.test import Client

from conversations.models import PromptTemplate, Workspace
from tests.admin_pages import add_to, filled_in, member, page_of, said
from tests.factories import PromptTemplateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def template() -> PromptTemplate:
    return PromptTemplateFactory(name="Grief", workspace__name="Practice", workspace__model="claude-opus-5-5")


@pytest.fixture
def lead(template: PromptTemplate) -> Client:
    return member(template.workspace, "lead")


def saved(client: Client, row: Any, **changes: Any) -> Any:
    return client.post(page_of(row), filled_in(client, page_of(row), **changes))


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_the_template_shows_what_holds_and_who_says_so(lead: Client, template: PromptTemplate, settings: Any) -> None:
    settings.ANTHROPIC_MAX_TOKENS = 16_000
    page = lead.get(page_of(template)).content.decode()
    assert "claude-opus-5-5 (workspace “Practice”), max tokens 16,000 (setting ANTHROPIC_MAX_TOKENS)" in page


def test_a_template_says_how_its_conversations_are_asked_for_and_gets_a_new_version(
    lead: Client, template: PromptTemplate
) -> None:
    assert saved(lead, template, model="claude-sonnet-4-6", temperature="0.70", max_tokens="8000").status_code == 302
    template.refresh_from_db()
    assert (template.model, str(template.temperature), template.max_tokens) == ("claude-sonnet-4-6", "0.70", 8_000)
    assert template.version == 2


def test_a_value_that_the_workspaces_model_does_not_take_is_refused_beside_its_field(
    lead: Client, template: PromptTemplate
) -> None:
    refused = errors(saved(lead, template, temperature="0.7"))
    assert list(refused) == ["temperature"]
    assert "is not taken by claude-opus-5-5 (workspace “Practice”)" in refused["temperature"][0]
    template.refresh_from_db()
    assert template.temperature is None


def test_a_new_template_is_checked_with_what_its_workspace_says(lead: Client, template: PromptTemplate) -> None:
    new = {"name": "New", "tier": "scenario", "structure": "Write.", "temperature": "0.7"}
    refused = errors(lead.post(add_to(PromptTemplate), filled_in(lead, add_to(PromptTemplate), **new)))
    assert "is not taken by claude-opus-5-5 (workspace “Practice”)" in refused["temperature"][0]
    Workspace.objects.update(model="claude-sonnet-4-6")
    assert lead.post(add_to(PromptTemplate), filled_in(lead, add_to(PromptTemplate), **new)).status_code == 302
    assert str(PromptTemplate.objects.get(name="New").temperature) == "0.70"


@pytest.mark.parametrize(
    ("field", "value"), [("temperature", "1.5"), ("top_p", "-1"), ("max_tokens", "0"), ("max_tokens", "30000")]
)
def test_a_value_out_of_range_is_refused(lead: Client, template: PromptTemplate, field: str, value: str) -> None:
    assert list(errors(saved(lead, template, model="claude-sonnet-4-6", **{field: value}))) == [field]


def test_a_lead_decides_for_the_workspace(lead: Client, template: PromptTemplate) -> None:
    workspace = template.workspace
    assert saved(lead, workspace, model="claude-haiku-5-5", effort="low").status_code == 302
    workspace.refresh_from_db()
    assert (workspace.model, workspace.effort) == ("claude-haiku-5-5", "low")
    refused = errors(saved(lead, workspace, model="claude-haiku-4-5", effort="low"))
    assert "leave effort empty" in refused["effort"][0]
    assert Workspace.objects.get(pk=workspace.pk).model == "claude-haiku-5-5"


def test_a_model_that_ends_is_warned_of_when_it_is_chosen_and_on_the_page(
    lead: Client, template: PromptTemplate
) -> None:
    response = saved(lead, template, model="claude-opus-4-0")
    ends = "Anthropic has retired claude-opus-4-0 on 15 June 2026: requests fail. Choose another model."
    assert ends in said(response)
    assert ends in lead.get(page_of(template)).content.decode()


def test_a_curator_reads_but_does_not_decide_for_the_workspace(template: PromptTemplate) -> None:
    curator = member(template.workspace, "curator")
    page = curator.get(page_of(template.workspace)).content.decode()
    assert "claude-opus-5-5" in page
    assert 'name="model"' not in page
