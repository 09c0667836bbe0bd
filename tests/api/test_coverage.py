from typing import Any

import pytest

from conversations.models import Conversation, PromptTemplate, Workspace
from tests.api_client import Api, problems, told
from tests.factories import ConversationFactory, DimensionFactory, PromptTemplateFactory


@pytest.fixture
def plan(workspace: Workspace) -> Any:
    """A template with three places over two personas, one of them filled; and an unplanned one of another tier."""
    for name in ("Saver", "Spender"):
        DimensionFactory(workspace=workspace, kind="persona", name=name)
    DimensionFactory(workspace=workspace, kind="emotion", name="Anxious")
    template = PromptTemplateFactory(workspace=workspace, name="Budget", target_count=3)
    PromptTemplateFactory(workspace=workspace, tier="scenario", target_count=1)
    ConversationFactory(workspace=workspace, template=template, persona="Saver", emotion="Anxious", topic="", slot="x")
    return template


def test_the_plan_tells_what_each_template_and_tier_lacks(curator: Api, plan: Any) -> None:
    body = curator.get("coverage/").json()
    assert body["missing"] == 3
    assert [tier["tier"] for tier in body["tiers"]] == ["template", "scenario"]
    (standing,) = [each for each in body["templates"] if each["template"] == str(plan.pk)]
    assert (standing["template_name"], standing["target"], standing["live"], standing["missing"]) == ("Budget", 3, 1, 2)
    assert standing["values"][0] == {"persona": "Spender", "conversations": 0}
    assert standing["pairs"][0] == {"persona": "Spender", "emotion": "Anxious", "conversations": 0}


def test_a_tier_and_a_number_of_values_can_be_asked_for(curator: Api, plan: Any) -> None:
    body = curator.get("coverage/", {"tier": "template", "least": 1}).json()
    assert [each["template_name"] for each in body["templates"]] == ["Budget"]
    assert len(body["templates"][0]["values"]) == 1
    assert problems(curator.get("coverage/", {"tier": "none", "least": -1}), 400) == {
        "tier": "invalid_choice",
        "least": "min_value",
    }


def test_the_gaps_are_counted_and_the_first_of_them_told(curator: Api, plan: Any) -> None:
    body = curator.get("coverage/gaps/", {"tier": "template", "limit": 1}).json()
    assert body["count"] == 2
    (gap,) = body["gaps"]
    assert gap.pop("slot").startswith(str(plan.pk))
    assert gap == {
        "tier": "template",
        "template_name": "Budget",
        "template": str(plan.pk),
        "persona": "Spender",
        "emotion": "Anxious",
        "topic": "",
        "intent": "",
        "tone": "",
    }


def test_gaps_become_drafts_once(curator: Api, plan: Any) -> None:
    made = curator.post("coverage/drafts/", {"tier": "template"})
    assert made.status_code == 201
    assert made.json()["created"] == len(made.json()["conversation_ids"]) == 2
    draft = Conversation.objects.get(conversation_id=made.json()["conversation_ids"][0])
    assert (draft.status, draft.template, draft.persona) == ("draft", plan, "Spender")
    assert draft.created_by is not None
    assert curator.post("coverage/drafts/", {"tier": "template"}).json() == {"created": 0, "conversation_ids": []}
    assert curator.post("coverage/drafts/", {}).json()["created"] == 1


def test_an_empty_plan_lacks_nothing(curator: Api) -> None:
    assert curator.get("coverage/").json() == {"missing": 0, "templates": [], "tiers": []}
    assert curator.get("coverage/gaps/").json() == {"count": 0, "gaps": []}


def test_an_operator_looks_but_makes_no_drafts(operator: Api, plan: Any) -> None:
    assert operator.get("coverage/").status_code == 200
    assert problems(operator.post("coverage/drafts/", {}), 403) == {None: "permission_denied"}


def test_the_plan_of_another_workspace_is_not_told(curator: Api, elsewhere: Workspace) -> None:
    PromptTemplateFactory(workspace=elsewhere, target_count=3)
    assert curator.get("coverage/").json()["missing"] == 0
    assert curator.post("coverage/drafts/", {}).json()["created"] == 0


def test_a_mistyped_target_is_told_before_it_keeps_anybody_waiting(curator: Api, plan: Any) -> None:
    PromptTemplate.objects.filter(name="Budget").update(target_count=2_000_001)  # one is there
    for refused in (curator.get("coverage/gaps/"), curator.post("coverage/drafts/", {})):
        assert problems(refused, 409) == {None: "conflict"}
        assert "The plan lacks 2,000,001 conversations" in told(refused)
        assert "“Budget” alone lacks 2,000,000: lower its target" in told(refused)
    for path in ("batches/estimate/", "batches/"):
        assert problems(curator.post(path, {}), 400) == {"non_field_errors": "invalid"}
    assert curator.get("coverage/").json()["missing"] == 2_000_001
    assert curator.get("coverage/gaps/", {"tier": "scenario"}).json()["count"] == 1
    assert Conversation.objects.count() == 1  # no draft was made
