"""The pages of prompt templates, with a form that reads prompts, and of the generation log."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from conversations.choices import Tier
from conversations.models import PromptTemplate, Workspace
from generation.models import GenerationLog
from tests.admin_pages import add_to, columns_written, filled_in, list_of, listed, member, page_of, queries_of, run
from tests.factories import (
    ConversationFactory,
    DimensionFactory,
    GenerationLogFactory,
    PromptTemplateFactory,
    WorkspaceFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def template() -> PromptTemplate:
    return PromptTemplateFactory(name="Grief")


@pytest.fixture
def curator(template: PromptTemplate) -> Client:
    return member(template.workspace, "curator")


def saved(client: Client, template: PromptTemplate, **changes: Any) -> Any:
    return client.post(page_of(template), filled_in(client, page_of(template), **changes))


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


# --- The form


@pytest.mark.parametrize("field", ["structure", "system_prompt"])
def test_a_prompt_that_cannot_be_read_is_refused_with_line_and_column(
    curator: Client, template: PromptTemplate, field: str
) -> None:
    refused = saved(curator, template, **{field: "Write about\n  {{topic for {{persona}}."})
    assert errors(refused) == {field: ["Line 2, column 3: this placeholder is never closed; add }}."]}
    template.refresh_from_db()
    assert template.version == 1


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ([{"name": "city", "type": "colour"}], "Variable city: its type must be text, number or dropdown"),
        ([{"name": "city", "type": "text"}] * 2, "Variable city is defined twice"),
        ({"city": "text"}, "This must be a list"),
    ],
)
def test_variables_that_are_not_well_defined_are_refused(
    curator: Client, template: PromptTemplate, variables: Any, complaint: str
) -> None:
    refused = errors(saved(curator, template, variables=json.dumps(variables)))
    assert list(refused) == ["variables"]
    assert refused["variables"][0].startswith(complaint)


def test_a_good_change_raises_the_version(curator: Client, template: PromptTemplate) -> None:
    assert saved(curator, template, structure="Write about {{city}}.", usage_count="7", version="9").status_code == 302
    template.refresh_from_db()
    assert (template.structure, template.version, template.usage_count) == ("Write about {{city}}.", 2, 0)


def test_the_count_of_uses_that_generation_raises_meanwhile_is_not_written(
    curator: Client, template: PromptTemplate
) -> None:
    written = columns_written(curator, template, structure="Write about {{city}}.")
    assert {"structure", "version", "updated_at"} <= written
    assert "usage_count" not in written


def test_required_elements_are_written_one_in_each_line(curator: Client, template: PromptTemplate) -> None:
    assert saved(curator, template, required_elements=" sorry \n\nnext step | first step\n").status_code == 302
    template.refresh_from_db()
    assert template.required_elements == ["sorry", "next step | first step"]
    shown = curator.get(page_of(template)).context["adminform"].form["required_elements"].value()
    assert shown == "sorry\nnext step | first step"


def test_saving_a_form_as_it_stands_changes_nothing(curator: Client, starter: Workspace) -> None:
    client = member(starter, "curator")
    template = PromptTemplate.objects.filter(workspace=starter).first()
    before = PromptTemplate.objects.filter(pk=template.pk).values().get()
    response = saved(client, template)
    assert response.status_code == 302, errors(response)
    after = PromptTemplate.objects.filter(pk=template.pk).values().get()
    assert {name for name in after if after[name] != before[name]} == {"updated_at"}
    assert template.applicability.exists()


@pytest.mark.parametrize("tier", Tier)
def test_the_starter_templates_pass_the_form(admin_client: Client, starter: Workspace, tier: str) -> None:
    template = PromptTemplate.objects.filter(workspace=starter, tier=tier).first()
    assert saved(admin_client, template).status_code == 302


def test_a_new_template_is_added_with_what_it_applies_to(curator: Client, template: PromptTemplate) -> None:
    persona = DimensionFactory(workspace=template.workspace)
    data = filled_in(
        curator,
        add_to(PromptTemplate),
        name="New",
        tier="scenario",
        structure="Write about {{topic}}.",
        **{"applicability-0-dimension": persona.pk},
    )
    assert curator.post(add_to(PromptTemplate), data).status_code == 302
    new = PromptTemplate.objects.get(name="New")
    assert (new.workspace, new.version) == (template.workspace, 1)
    row = new.applicability.get()
    assert (row.dimension, row.workspace) == (persona, template.workspace)


def test_only_active_personas_emotions_and_topics_are_offered_and_those_chosen_before(
    curator: Client, template: PromptTemplate
) -> None:
    workspace = template.workspace
    DimensionFactory(workspace=workspace, kind="topic", name="Offered")
    DimensionFactory(workspace=workspace, kind="tone", name="No tone")
    DimensionFactory(workspace=workspace, name="Inactive", active=False)
    chosen = DimensionFactory(workspace=workspace, name="Chosen before", active=False)
    template.applicability.create(workspace=workspace, dimension=chosen)
    page = curator.get(page_of(template)).content.decode()
    assert "Offered" in page
    assert "Chosen before" in page
    assert "No tone" not in page
    assert "Inactive" not in page


def test_a_dimension_of_another_workspace_is_refused(admin_client: Client, template: PromptTemplate) -> None:
    foreign = DimensionFactory()
    refused = saved(admin_client, template, **{"applicability-0-dimension": foreign.pk})
    assert refused.status_code == 200
    new = filled_in(admin_client, add_to(PromptTemplate), name="New", tier="scenario", structure="Write.")
    new |= {"workspace": template.workspace_id, "applicability-0-dimension": foreign.pk}
    assert "belongs to another workspace" in admin_client.post(add_to(PromptTemplate), new).content.decode()
    assert not foreign.applicability.exists()


# --- The list


def test_the_list_counts_live_conversations(curator: Client, template: PromptTemplate) -> None:
    for status in ("draft", "approved", "rejected", "archived"):
        ConversationFactory(workspace=template.workspace, template=template, status=status)
    row = curator.get(list_of(PromptTemplate)).context["cl"].result_list[0]
    assert row.live_count == 2


def test_the_list_leaves_the_prompts_in_the_database(curator: Client, template: PromptTemplate) -> None:
    queries = queries_of(curator, list_of(PromptTemplate))
    assert not any('"conversations_prompttemplate"."structure"' in query for query in queries)


def test_templates_are_duplicated_by_those_who_may_add(curator: Client, template: PromptTemplate) -> None:
    assert run(curator, "duplicate_selected", [template]) == ["Duplicated, inactive for now: Grief (copy)."]
    assert PromptTemplate.objects.get(name="Grief (copy)").active is False


def test_templates_are_not_duplicated_by_those_who_may_only_change(template: PromptTemplate) -> None:
    client = member(template.workspace, "curator", without=["add_prompttemplate"])
    client.post(list_of(PromptTemplate), {"action": "duplicate_selected", "_selected_action": [template.pk]})
    assert PromptTemplate.objects.count() == 1


# --- The history


def test_a_former_version_is_shown_and_brought_back_as_a_new_one(curator: Client, template: PromptTemplate) -> None:
    assert saved(curator, template, structure="A worse prompt.").status_code == 302
    first = template.history.earliest()
    page = curator.get(page_of(template, "history")).content.decode()
    assert "A worse prompt." in page
    url = f"{page_of(template, 'history')}{first.history_id}/"
    assert curator.get(url).status_code == 200
    form = curator.get(url).context["adminform"].form
    data = {bound.html_name: bound.value() for bound in form if bound.value() is not None}
    assert curator.post(url, data).status_code == 302
    template.refresh_from_db()
    assert template.structure == first.structure
    assert template.version == 3


def test_the_history_of_another_workspace_stays_closed(template: PromptTemplate) -> None:
    client = member(WorkspaceFactory(), "curator")
    record = template.history.get()
    assert client.get(page_of(template, "history")).status_code == 404
    assert client.get(f"{page_of(template, 'history')}{record.history_id}/").status_code == 404
    template_pk = template.pk
    template.delete()
    template.pk = template_pk
    assert client.get(page_of(template, "history")).status_code == 404


# --- The log


def test_a_log_is_found_by_its_request_its_run_and_its_conversation(admin_client: Client) -> None:
    log = GenerationLogFactory(request_id="req_abc123", conversation__conversation_id="EDG-0007")
    GenerationLogFactory(request_id="req_other", conversation__conversation_id="TPL-0001")
    for words in ("req_abc123", str(log.run_id), "EDG-0007", " edg-0007 "):
        assert listed(admin_client, GenerationLog, q=words) == {log.pk}
    for words in ("req_abc", str(log.pk), "EDG", "0007"):
        assert listed(admin_client, GenerationLog, q=words) == set()
    assert len(listed(admin_client, GenerationLog, q=" ")) == 2


def test_the_list_leaves_requests_and_responses_in_the_database(admin_client: Client) -> None:
    GenerationLogFactory()
    queries = queries_of(admin_client, list_of(GenerationLog))
    assert any('"generation_generationlog"."model"' in query for query in queries)
    for column in ("request", "response"):
        assert not any(f'"generation_generationlog"."{column}"' in query for query in queries)


def test_the_page_shows_request_and_response_with_their_line_breaks(admin_client: Client) -> None:
    log = GenerationLogFactory(response={"content": [{"text": "Größe <b>\\n</b>\nNext."}]})
    page = admin_client.get(page_of(log)).content.decode()
    assert "First line.\nSecond line." in page
    assert "Größe &lt;b&gt;\\\\n&lt;/b&gt;\nNext." in page


def test_a_failed_request_tells_its_sentence(admin_client: Client) -> None:
    sentence = "Claude is overloaded. Try again in a while."
    log = GenerationLogFactory(status="failed", error_type="overloaded", error_message=sentence)
    assert sentence in admin_client.get(list_of(GenerationLog)).content.decode()
    assert f'<p class="errornote">{sentence}</p>' in admin_client.get(page_of(log)).content.decode()


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [("status__exact", "failed", "succeeded"), ("error_type", "overloaded", "timed_out"), ("model", "a", "b")],
)
def test_the_log_is_filtered(admin_client: Client, name: str, value: str, other: str) -> None:
    field = name.removesuffix("__exact")
    wanted = GenerationLogFactory(**{field: value})
    GenerationLogFactory(**{field: other})
    assert listed(admin_client, GenerationLog, **{name: value}) == {wanted.pk}


def test_the_log_is_never_changed(admin_client: Client) -> None:
    log = GenerationLogFactory()
    assert admin_client.post(page_of(log), {"model": "other"}).status_code == 403
    assert admin_client.post(page_of(log, "delete"), {"post": "yes"}).status_code == 403
    admin_client.post(list_of(GenerationLog), {"action": "delete_selected", "_selected_action": [log.pk], "post": "1"})
    assert GenerationLog.objects.get().model == log.model


def test_a_log_outlives_its_conversation(admin_client: Client) -> None:
    log = GenerationLogFactory(run_id=uuid4())
    log.conversation.delete()
    assert listed(admin_client, GenerationLog) == {log.pk}
    assert admin_client.get(page_of(log)).status_code == 200
