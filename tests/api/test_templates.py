from typing import Any

import pytest

from conversations.choices import Status
from conversations.models import Conversation, PromptTemplate, TemplateApplicability, Workspace
from conversations.template_statistics import statistics
from convgen.models import User
from tests.api_client import Api, problems, told
from tests.factories import ConversationFactory, DimensionFactory, PromptTemplateFactory

NEW = {
    "name": "Two people, one budget",
    "tier": "template",
    "structure": "Write a talk between {{persona}} and an adviser. {{hint}}",
    "variables": [{"name": "hint", "type": "dropdown", "options": ["short", "long"]}],
    "required_elements": ["next step | next steps"],
    "quality_threshold": 7.5,
}


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    return PromptTemplateFactory(workspace=workspace, name="Grief", usage_count=7)


def meant_for(template: PromptTemplate, *dimensions: Any) -> None:
    for dimension in dimensions:
        TemplateApplicability.objects.create(workspace_id=template.workspace_id, template=template, dimension=dimension)


# --- list and detail


def test_templates_are_listed_without_their_long_texts(curator: Api, template: PromptTemplate) -> None:
    ConversationFactory(workspace=template.workspace, template=template)
    ConversationFactory(workspace=template.workspace, template=template, status=Status.REJECTED)
    (listed,) = curator.get("templates/").json()["results"]
    assert (listed["name"], listed["quality_threshold"], listed["usage_count"]) == ("Grief", 6.0, 7)
    assert listed["live_conversations"] == 1
    assert "structure" not in listed
    assert curator.get(f"templates/{template.pk}/").json()["structure"] == template.structure


def test_templates_are_filtered_and_searched(curator: Api, workspace: Workspace) -> None:
    PromptTemplateFactory(workspace=workspace, name="A", tier="scenario", category="loss", active=False)
    PromptTemplateFactory(workspace=workspace, name="B", tier="template", description="About money")

    def names(**asked: Any) -> list[str]:
        return [each["name"] for each in curator.get("templates/", asked).json()["results"]]

    assert names() == ["A", "B"]
    assert names(ordering="-name") == ["B", "A"]
    assert names(tier="template") == names(active="true") == names(search="MONEY") == ["B"]
    assert names(category="loss") == ["A"]
    assert problems(curator.get("templates/", {"tier": "none"}), 400) == {"tier": "invalid_choice"}


def test_a_list_takes_as_many_queries_however_long_it_is(
    curator: Api, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    PromptTemplateFactory.create_batch(20, workspace=workspace)
    with django_assert_max_num_queries(12):
        assert len(curator.get("templates/").json()["results"]) == 20


# --- create and change


def test_a_template_is_created_with_all_that_it_is_meant_for(curator: Api, workspace: Workspace) -> None:
    saver = DimensionFactory(workspace=workspace, kind="persona", name="Careful saver")
    anxious = DimensionFactory(workspace=workspace, kind="emotion", name="Anxious")
    created = curator.post("templates/", {**NEW, "personas": ["Careful saver"], "emotions": [str(anxious.pk)]})
    assert created.status_code == 201, created.json()
    body = created.json()
    assert (body["personas"], body["emotions"], body["topics"]) == (["Careful saver"], ["Anxious"], [])
    assert (body["version"], body["active"], body["variables"]) == (1, True, NEW["variables"])
    template = PromptTemplate.objects.get()
    assert created["Location"] == f"http://testserver/api/templates/{template.pk}/"
    assert set(template.applies_to.all()) == {saver, anxious}
    assert template.history.get().history_user is not None


def test_a_prompt_that_cannot_be_read_is_refused_by_field(curator: Api, template: PromptTemplate) -> None:
    wrong = {
        "structure": "Write to {{persona",
        "system_prompt": "You are\n{{name ? 'x'}}",
        "variables": [{"name": "hint", "type": "colour"}],
    }
    for refused in (
        curator.post("templates/", {**NEW, **wrong}),
        curator.patch(f"templates/{template.pk}/", wrong),
    ):
        assert set(problems(refused, 400)) == {"structure", "system_prompt", "variables"}
        assert "Line 1, column 10" in told(refused)
        assert "Line 2, column" in told(refused)
        assert "its type must be text, number or dropdown" in told(refused)


@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"tier": "none"}, "tier"),
        ({"variables": {"name": "hint"}}, "variables"),
        ({"quality_threshold": 10.5}, "quality_threshold"),
        ({"quality_threshold": 7.25}, "quality_threshold"),
        ({"rating": 5.5}, "rating"),
        ({"target_count": -1}, "target_count"),
        ({"target_count": 2**31}, "target_count"),
        ({"required_elements": "next step"}, "required_elements"),
        ({"structure": "a\x00b"}, "structure"),
        ({"temperature": 0.5}, "temperature"),
        ({"max_tokens": 50_000}, "max_tokens"),
        ({"effort": "huge"}, "effort"),
        ({"personas": ["Nobody"]}, "personas"),
        ({"personas": "Nobody"}, "personas"),
    ],
)
def test_what_is_wrong_is_told_by_field(curator: Api, changes: dict[str, Any], attribute: str) -> None:
    assert set(problems(curator.post("templates/", {**NEW, **changes}), 400)) == {attribute}


def test_a_name_means_one_template(curator: Api, template: PromptTemplate) -> None:
    again = curator.post("templates/", {**NEW, "name": "Grief"})
    assert problems(again, 400) == {"non_field_errors": "unique_together"}
    assert "already exists" in told(again)


def test_only_what_is_sent_is_changed_and_content_raises_the_version(
    curator: Api, template: PromptTemplate, workspace: Workspace
) -> None:
    path = f"templates/{template.pk}/"
    saver, spender = (DimensionFactory(workspace=workspace, name=name) for name in ("Saver", "Spender"))
    topic = DimensionFactory(workspace=workspace, kind="topic", name="Rent")
    meant_for(template, saver, topic)
    described = curator.patch(path, {"description": "About loss", "usage_count": 0, "version": 9}).json()
    assert (described["description"], described["version"], described["usage_count"]) == ("About loss", 1, 7)
    changed = curator.patch(path, {"tone": "warm", "personas": ["Spender"]}).json()
    assert (changed["tone"], changed["version"]) == ("warm", 2)
    assert (changed["personas"], changed["topics"]) == (["Spender"], ["Rent"])
    assert set(template.applies_to.all()) == {spender, topic}


def test_uses_that_are_counted_meanwhile_are_not_lost(curator: Api, template: PromptTemplate) -> None:
    PromptTemplate.objects.filter(pk=template.pk).update(usage_count=8)
    template.name = "Loss"
    template.save_edited(by=None)
    assert curator.patch(f"templates/{template.pk}/", {"tone": "warm"}).json()["usage_count"] == 8


def test_an_inactive_dimension_is_chosen_only_where_it_was_chosen_before(
    curator: Api, template: PromptTemplate, workspace: Workspace
) -> None:
    path = f"templates/{template.pk}/"
    DimensionFactory(workspace=workspace, name="Saver", active=False)
    refused = curator.patch(path, {"personas": ["Saver"]})
    assert problems(refused, 400) == {"personas": "invalid"}
    assert told(refused) == "There is no active persona “Saver” here. Create it first, or take another one."
    meant_for(template, DimensionFactory(workspace=workspace, name="Spender", active=False))
    assert curator.patch(path, {"personas": ["Spender"]}).json()["personas"] == ["Spender"]


def test_a_change_of_something_that_was_changed_since_is_refused(
    curator: Api, lead: Api, template: PromptTemplate
) -> None:
    path = f"templates/{template.pk}/"
    seen = {"If-Match": curator.get(path)["ETag"]}
    changed = curator.patch(path, {"description": "Mine"}, headers=seen)
    assert changed.status_code == 200
    late = lead.patch(path, {"description": "Theirs"}, headers=seen)
    assert problems(late, 412) == {None: "precondition_failed"}
    assert problems(lead.delete(path, headers=seen), 412)
    unquoted = {"If-Match": seen["If-Match"].strip('"')}
    assert problems(lead.patch(path, {"description": "Theirs"}, headers=unquoted), 412)
    assert lead.get(path).json()["description"] == "Mine"
    assert lead.patch(path, {"description": "Theirs"}, headers={"If-Match": changed["ETag"]}).status_code == 200
    assert lead.patch(path, {"description": "Any"}, headers={"If-Match": "*"}).status_code == 200
    for unreadable in ("nonsense", ""):
        problems(lead.patch(path, {"description": "Lost"}, headers={"If-Match": unreadable}), 412)


def test_a_deleted_template_leaves_its_conversations(lead: Api, template: PromptTemplate) -> None:
    ConversationFactory(workspace=template.workspace, template=template)
    assert lead.delete(f"templates/{template.pk}/").status_code == 204
    assert Conversation.objects.get().template is None


def test_a_duplicate_is_inactive_and_meant_for_the_same(curator: Api, template: PromptTemplate) -> None:
    meant_for(template, DimensionFactory(workspace=template.workspace, name="Saver"))
    copied = curator.post(f"templates/{template.pk}/duplicate/")
    assert copied.status_code == 201
    body = copied.json()
    assert (body["name"], body["active"], body["usage_count"]) == ("Grief (copy)", False, 0)
    assert body["personas"] == ["Saver"]
    assert PromptTemplate.history.get(id=body["id"]).history_user is not None


# --- history and statistics


def test_the_history_tells_who_changed_what(curator: Api, template: PromptTemplate) -> None:
    path = f"templates/{template.pk}/"
    curator.patch(path, {"tone": "warm", "quality_threshold": 7.5})
    curator.patch(path, {"description": "About loss"})
    curator.patch(path, {})
    described, toned, created = curator.get(f"{path}history/").json()["results"]
    assert (created["kind"], created["changed_by"], created["changes"]) == ("created", None, [])
    assert (toned["kind"], toned["version"], described["version"]) == ("changed", 2, 2)
    assert toned["changes"] == [
        {"field": "quality_threshold", "before": 6.0, "after": 7.5},
        {"field": "tone", "before": "", "after": "warm"},
    ]
    assert toned["changed_by"] == User.objects.get(memberships__role="curator").username
    oldest = curator.get(f"{path}history/", {"ordering": "changed", "page_size": 2}).json()
    assert oldest["results"] == [created, toned]
    assert curator.get(oldest["next"]).json()["results"] == [described]
    whole = curator.get(f"{path}history/", {"ordering": "changed"}).json()
    assert whole["results"] == [created, toned, described]


def test_statistics_tell_status_quality_approval_cost_and_trend(curator: Api, template: PromptTemplate) -> None:
    for status, score in ((Status.APPROVED, "8.0"), (Status.APPROVED, "9.0"), (Status.REJECTED, "4.0")):
        ConversationFactory(
            workspace=template.workspace,
            template=template,
            status=status,
            quality_score=score,
            turn_count=8,
            cost_usd="0.03",
            input_tokens=100,
            output_tokens=301,
        )
    draft = ConversationFactory(workspace=template.workspace, template=template)
    Conversation.objects.filter(pk=draft.pk).update(created_at="2025-01-31T12:00:00Z")
    ConversationFactory(workspace=template.workspace, status=Status.APPROVED)
    body = curator.get(f"templates/{template.pk}/stats/").json()
    assert body["usage_count"] == 7
    assert {status: number for status, number in body["by_status"].items() if number} == {
        "approved": 2,
        "rejected": 1,
        "draft": 1,
    }
    assert body["results"] == {
        "conversations": 4,
        "average_quality": 7.0,
        "approval_rate": 0.6667,
        "average_cost_usd": "0.030000",
        "average_input_tokens": 100,
        "average_output_tokens": 301,
    }
    january, now = body["trend"]
    assert (january["month"], january["results"]["average_quality"]) == ("2025-01-01", None)
    assert (january["results"]["conversations"], now["results"]["conversations"]) == (1, 3)


def test_statistics_take_two_queries(template: PromptTemplate, django_assert_num_queries: Any) -> None:
    ConversationFactory(workspace=template.workspace, template=template)
    with django_assert_num_queries(2):
        assert statistics(template).results.conversations == 1


def test_statistics_of_an_unused_template_are_empty(curator: Api, workspace: Workspace) -> None:
    body = curator.get(f"templates/{PromptTemplateFactory(workspace=workspace).pk}/stats/").json()
    assert (body["usage_count"], body["results"]["conversations"], body["results"]["approval_rate"]) == (0, 0, None)
    assert body["trend"] == []


# --- who may


def test_a_role_that_may_not_is_refused(operator: Api, curator: Api, template: PromptTemplate) -> None:
    path = f"templates/{template.pk}/"
    assert operator.get(path).status_code == 200
    for refused in (
        operator.post("templates/", NEW),
        operator.patch(path, {"tone": "warm"}),
        operator.post(f"{path}duplicate/"),
        curator.delete(path),
    ):
        assert problems(refused, 403) == {None: "permission_denied"}


def test_what_is_in_another_workspace_is_not_found(lead: Api, elsewhere: Workspace) -> None:
    path = f"templates/{PromptTemplateFactory(workspace=elsewhere).pk}/"
    for response in (
        lead.get(path),
        lead.patch(path, {"name": "Mine"}),
        lead.delete(path),
        lead.post(f"{path}duplicate/"),
        lead.get(f"{path}history/"),
        lead.get(f"{path}stats/"),
    ):
        assert problems(response, 404) == {None: "not_found"}
    theirs = DimensionFactory(workspace=elsewhere, name="Theirs")
    assert problems(lead.post("templates/", {**NEW, "personas": [str(theirs.pk)]}), 400) == {"personas": "invalid"}
