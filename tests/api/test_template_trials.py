"""`templates/{id}/resolve/` and `templates/{id}/test/`: a template tried out, and nothing of it kept."""

from typing import Any

import pytest

from conversations.models import Conversation, PromptTemplate, Workspace
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.api_client import Api, problems, told
from tests.factories import ConversationFactory, DimensionFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    DimensionFactory(workspace=workspace, kind="persona", name="Careful saver")
    return PromptTemplateFactory(
        workspace=workspace,
        structure="Talk to {{persona}} of {{age}} in {{city}}{{urgent ? ', now' : ''}}.",
        variables=[{"name": "age", "type": "number", "default": "40"}, {"name": "city", "type": "text"}],
    )


@pytest.fixture
def words() -> dict[str, Any]:
    return {"persona": "careful saver", "parameters": {"city": "Oslo <b>"}}


def test_a_template_is_resolved_and_says_where_each_value_is_from(
    operator: Api, template: PromptTemplate, words: dict[str, Any]
) -> None:
    answer = operator.post(f"templates/{template.pk}/resolve/", words)
    assert answer.status_code == 200
    told = answer.json()
    assert "Talk to Careful saver of 40 in Oslo &lt;b&gt;." in told["prompt"]
    assert told["system"]
    assert told["configuration"].startswith("claude-sonnet-5-5 (setting ANTHROPIC_MODEL)")
    assert [(each["name"], each["value"], each["origin"], each["declared"]) for each in told["values"]] == [
        ("persona", "Careful saver", "conversation", False),
        ("age", "40", "default", True),
        ("city", "Oslo <b>", "parameters", True),
        ("urgent", "", "nothing", False),
    ]
    assert told["forecast"] is None
    assert not Conversation.objects.exists()


def test_tokens_are_counted_where_that_is_asked_for(
    operator: Api, claude: SimulatedClaude, template: PromptTemplate, words: dict[str, Any]
) -> None:
    answer = operator.post(f"templates/{template.pk}/resolve/", {**words, "count_tokens": True})
    assert answer.json()["forecast"]["input_tokens"] > 0
    assert claude.arrivals.of("messages") == []


def test_what_is_missing_or_wrong_is_told_by_variable(operator: Api, template: PromptTemplate) -> None:
    path = f"templates/{template.pk}/resolve/"
    template.variables[1]["required"] = True
    template.save()
    wrong = operator.post(path, {"parameters": {"age": "forty"}})
    names = ("persona", "parameters.age", "parameters.city")
    assert problems(wrong, 400) == dict.fromkeys(names, "prompt_unresolved")
    assert "Say which persona: the prompt needs one." in told(wrong)
    assert problems(operator.post(path, {"persona": "Nobody"}), 400) == {"persona": "unknown"}
    template.structure = "{{persona"
    template.save()
    assert problems(operator.post(path, {}), 400) == {"non_field_errors": "prompt_unresolved"}


def test_a_trial_is_scored_and_held_against_what_the_template_made_before(
    curator: Api, claude: SimulatedClaude, template: PromptTemplate, words: dict[str, Any]
) -> None:
    for score, simulated in (("5.0", True), ("6.0", True), ("1.0", False)):
        ConversationFactory(
            workspace=template.workspace,
            template=template,
            status="generated",
            quality_score=score,
            simulated=simulated,
        )
    answer = curator.post(f"templates/{template.pk}/test/", words)
    assert answer.status_code == 200
    tried = answer.json()
    assert tried["baseline"] == {"score": 5.5, "conversations": 2}
    assert tried["difference"] == pytest.approx(tried["quality_metrics"]["score"] - 5.5)
    assert (tried["simulated"], bool(tried["title"]), bool(tried["turns"])) == (True, True, True)
    log = GenerationLog.objects.get()
    assert (log.template, log.conversation, log.cost_usd > 0) == (template, None, True)
    assert tried["generation"]["run_id"] == str(log.run_id)
    assert tried["generation"]["cost_usd"] == str(log.cost_usd)
    assert Conversation.objects.count() == 3
    template.refresh_from_db()
    assert template.usage_count == 0


def test_the_first_trial_has_no_baseline_and_every_attempt_is_logged(
    curator: Api, claude: SimulatedClaude, template: PromptTemplate, words: dict[str, Any]
) -> None:
    claude.behaviour.script.extend(["529"])
    tried = curator.post(f"templates/{template.pk}/test/", words).json()
    assert (tried["baseline"], tried["difference"]) == ({"score": None, "conversations": 0}, None)
    assert [each["error_type"] for each in tried["generation"]["requests"]] == ["overloaded", ""]


def test_a_trial_that_claude_fails_is_told_and_logged(
    curator: Api, claude: SimulatedClaude, template: PromptTemplate, words: dict[str, Any]
) -> None:
    claude.behaviour.script.extend(["refusal"])
    assert problems(curator.post(f"templates/{template.pk}/test/", words), 400) == {"non_field_errors": "reply_refused"}
    assert GenerationLog.objects.get().error_type == "reply_refused"
    assert not Conversation.objects.exists()


def test_trying_out_costs_money_and_takes_the_role_for_it(
    operator: Api, claude: SimulatedClaude, template: PromptTemplate, words: dict[str, Any]
) -> None:
    assert problems(operator.post(f"templates/{template.pk}/test/", words), 403) == {None: "permission_denied"}
    assert claude.requests == []


def test_another_workspaces_template_is_not_there(lead: Api, elsewhere: Workspace) -> None:
    foreign = PromptTemplateFactory(workspace=elsewhere)
    for verb in ("resolve", "test"):
        assert problems(lead.post(f"templates/{foreign.pk}/{verb}/", {}), 404) == {None: "not_found"}
