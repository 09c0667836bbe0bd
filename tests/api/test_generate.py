"""`POST conversations/generate/`, over real HTTP to simulated Claude."""

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from batches.models import BatchJob
from conversations.models import Conversation, PromptTemplate, Workspace
from convgen.tenancy import EVERY, workspace_scope
from generation.models import GenerationLog
from generation.simulated.server import SimulatedClaude
from tests.api_client import Api, problems, told
from tests.background import in_background
from tests.factories import ConversationFactory, DimensionFactory, PromptTemplateFactory
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

GENERATE = "conversations/generate/"
KEY = {"HTTP_IDEMPOTENCY_KEY": "one-and-the-same"}


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    DimensionFactory(workspace=workspace, kind="persona", name="Careful saver")
    DimensionFactory(workspace=workspace, kind="topic", name="Pensions")
    return PromptTemplateFactory(workspace=workspace, name="First steps", structure="Talk about {{topic}} in {{city}}.")


@pytest.fixture
def order(template: PromptTemplate) -> dict[str, Any]:
    return {"template": "First steps", "topic": "pensions", "parameters": {"city": "Oslo"}}


def test_a_conversation_is_made_of_a_template(curator: Api, claude: SimulatedClaude, order: dict[str, Any]) -> None:
    answer = curator.post(GENERATE, order)
    assert answer.status_code == 201
    made, took = answer.json()["conversation"], answer.json()["generation"]
    assert answer["Location"] == f"http://testserver/api/conversations/{made['id']}/"
    assert (made["status"], made["topic"], made["parameters"]) == ("generated", "Pensions", {"city": "Oslo"})
    assert len(made["turns"]) == made["turn_count"] > 0
    assert made["quality_metrics"]["score"] == made["quality_score"] > 6
    assert "Talk about Pensions in Oslo." in claude.requests[0]["messages"][0]["content"]
    assert (took["attempts"], took["cost_usd"], took["model"]) == (1, made["cost_usd"], made["model"])
    assert [each["status"] for each in took["requests"]] == ["succeeded"]
    assert took["duration_seconds"] >= 0
    assert Conversation.objects.get().slot


def test_a_template_is_named_by_id_too(curator: Api, claude: SimulatedClaude, order: dict[str, Any]) -> None:
    named = {**order, "template": str(PromptTemplate.objects.get().pk)}
    assert curator.post(GENERATE, named).status_code == 201


def test_a_draft_is_written_and_all_attempts_are_told(
    reviewer: Api, claude: SimulatedClaude, workspace: Workspace
) -> None:
    claude.behaviour.script.extend(["529"])
    draft = ConversationFactory(workspace=workspace)
    answer = reviewer.post(GENERATE, {"conversation": draft.conversation_id.lower()}).json()
    assert answer["conversation"]["id"] == str(draft.pk)
    assert [each["error_type"] for each in answer["generation"]["requests"]] == ["overloaded", ""]


def test_parameters_become_those_of_the_draft_beside_the_ones_that_it_has(
    curator: Api, claude: SimulatedClaude, template: PromptTemplate
) -> None:
    draft = ConversationFactory(workspace=template.workspace, template=template, parameters={"age": 4, "city": "Rome"})
    curator.post(GENERATE, {"conversation": str(draft.pk), "parameters": {"city": "Oslo"}})
    draft.refresh_from_db()
    assert (draft.status, draft.parameters) == ("generated", {"age": 4, "city": "Oslo"})


def test_how_claude_is_asked_can_be_said_for_this_once(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    asked = {"model": "claude-sonnet-4-6", "max_tokens": 4000, "temperature": "0.5"}
    assert curator.post(GENERATE, {**order, "configuration": asked}).status_code == 201
    [request] = claude.requests
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("claude-sonnet-4-6", 4000, 0.5)


def test_either_a_conversation_or_a_template_is_named(curator: Api, claude: SimulatedClaude) -> None:
    assert problems(curator.post(GENERATE, {}), 400) == {"non_field_errors": "one_of"}
    both = {"conversation": "TPL-0001", "template": "First steps"}
    assert problems(curator.post(GENERATE, both), 400) == {"non_field_errors": "one_of"}
    words = {"conversation": "TPL-0001", "topic": "Pensions"}
    assert problems(curator.post(GENERATE, words), 400) == {"topic": "not_with_conversation"}


def test_what_cannot_be_asked_for_is_told_by_name_and_nothing_is_made(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    unknown = curator.post(GENERATE, {**order, "topic": "Pensionz", "tone": "Dry"})
    assert problems(unknown, 400) == {"topic": "unknown", "tone": "unknown"}
    assert "Did you mean “Pensions”?" in told(unknown)
    assert problems(curator.post(GENERATE, {**order, "template": "Last steps"}), 400) == {"template": "unknown"}
    missing = curator.post(GENERATE, {**order, "parameters": {}})
    assert problems(missing, 400) == {"parameters.city": "prompt_unresolved"}
    hot = curator.post(GENERATE, {**order, "configuration": {"temperature": 0.5}})
    assert problems(hot, 400) == {"non_field_errors": "configuration_invalid"}
    strange = {"model": "x\0", "max_tokens": 0, "effort": "some", "top_p": 2}
    assert set(problems(curator.post(GENERATE, {**order, "configuration": strange}), 400)) == {
        f"configuration.{name}" for name in strange
    }
    assert not Conversation.objects.exists()
    assert claude.requests == []


def test_values_that_postgresql_could_not_store_are_cleaned(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    body = json.dumps({**order, "parameters": {"city": "Os\0lo", "more": {"\ud800": ["\ud800"]}}})
    answer = curator.post(GENERATE, body, content_type="application/json")
    assert answer.json()["conversation"]["parameters"] == {"city": "Oslo", "more": {"�": ["�"]}}


def test_a_role_that_may_not_generate_is_refused(operator: Api, claude: SimulatedClaude, order: dict[str, Any]) -> None:
    assert problems(operator.post(GENERATE, order), 403) == {None: "permission_denied"}
    assert claude.requests == []


def test_what_is_in_another_workspace_is_not_there(curator: Api, claude: SimulatedClaude, elsewhere: Workspace) -> None:
    draft = ConversationFactory(workspace=elsewhere)
    assert problems(curator.post(GENERATE, {"conversation": str(draft.pk)}), 404) == {None: "not_found"}
    asked = {"template": str(draft.template.pk)}
    assert problems(curator.post(GENERATE, asked), 400) == {"template": "unknown"}
    assert claude.requests == []


def test_one_that_is_written_is_a_conflict_that_says_where_it_stands(
    curator: Api, claude: SimulatedClaude, workspace: Workspace
) -> None:
    draft = ConversationFactory(workspace=workspace, status="generated")
    refused = curator.post(GENERATE, {"conversation": draft.conversation_id})
    assert problems(refused, 409) == {None: "not_claimable"}
    assert refused["Location"] == f"http://testserver/api/conversations/{draft.pk}/status/"
    assert "Retry-After" not in refused


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("529", 503, "overloaded"),
        ("401", 503, "key_refused"),
        ("402", 503, "payment_required"),
        ("malformed", 503, "reply_malformed"),
        ("refusal", 400, "reply_refused"),
        ("413", 400, "request_too_large"),
    ],
)
def test_when_claude_fails_the_conversation_is_kept_and_the_answer_says_how_to_go_on(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any], fault: str, status: int, code: str
) -> None:
    claude.behaviour.script.extend([fault] * 3)
    failed = curator.post(GENERATE, order)
    assert code in problems(failed, status).values()
    kept = Conversation.objects.get()
    assert (kept.status, kept.failure_type) == ("failed", code)
    assert f'{kept} is kept (failed): send {{"conversation": "{kept}"}}' in told(failed)
    assert failed["Location"] == f"http://testserver/api/conversations/{kept.pk}/status/"
    claude.behaviour.script.clear()
    assert curator.post(GENERATE, {"conversation": str(kept)}).status_code == 201


def test_the_wait_that_claude_asks_for_is_passed_on(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any], settings: Any
) -> None:
    settings.GENERATION_ATTEMPTS = 1
    claude.behaviour.script.extend(["429:7"])
    refused = curator.post(GENERATE, order)
    assert problems(refused, 503) == {None: "rate_limited"}
    assert refused["Retry-After"] == "7"


def test_a_model_that_the_request_names_and_nobody_knows_is_its_own_mistake(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    claude.behaviour.script.extend(["404", "404"])
    assert problems(curator.post(GENERATE, order), 503) == {None: "model_unknown"}
    named = {**order, "configuration": {"model": "claude-sonnet-5-5"}}
    assert problems(curator.post(GENERATE, named), 400) == {"non_field_errors": "model_unknown"}


def test_a_request_whose_answer_was_lost_is_answered_again_and_not_paid_twice(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    first = curator.post(GENERATE, order, **KEY)
    again = curator.post(GENERATE, order, **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert len(claude.requests) == Conversation.objects.count() == 1


def test_a_key_that_came_with_another_request_is_refused(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    curator.post(GENERATE, order, **KEY)
    other = curator.post(GENERATE, {**order, "parameters": {"city": "Rome"}}, **KEY)
    assert problems(other, 409) == {None: "idempotency_key_reused"}


def test_a_request_that_failed_tries_the_same_draft_again(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    claude.behaviour.script.extend(["529"] * 3)
    assert curator.post(GENERATE, order, **KEY).status_code == 503
    again = curator.post(GENERATE, order, **KEY)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert Conversation.objects.get().status == "generated"


def test_a_request_whose_process_died_tries_the_same_draft_again_when_its_claim_has_ended(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    curator.post(GENERATE, order, **KEY)
    died = Conversation.objects.get()
    Conversation.objects.filter(pk=died.pk).delete()
    died.status, died.claim, died.turn_count = "generating", died.pk, 0
    died.claim_expires_at = timezone.now()
    died.save(force_insert=True)
    again = curator.post(GENERATE, order, **KEY)
    assert (again.status_code, again.json()["conversation"]["id"]) == (201, str(died.pk))
    assert len(claude.requests) == 2


def test_of_two_such_requests_at_the_same_moment_one_is_paid_for_and_the_other_told_to_wait(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    claude.behaviour.latency = 0.5
    together, answers = threading.Barrier(2), []

    def send() -> None:
        with workspace_scope(EVERY):
            together.wait(timeout=10)
            answers.append(curator.post(GENERATE, order, **KEY))

    for thread in [in_background(send), in_background(send)]:
        thread.join(timeout=20)
    told_to_wait, made = sorted(answers, key=lambda answer: -answer.status_code)
    assert (made.status_code, told_to_wait.status_code) == (201, 409)
    assert (
        told_to_wait["Location"] == f"http://testserver/api/conversations/{made.json()['conversation']['id']}/status/"
    )
    assert told_to_wait["Retry-After"] == "2"
    assert len(claude.requests) == Conversation.objects.count() == 1


def test_no_connection_and_no_transaction_is_held_while_claude_writes(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    claude.behaviour.latency = 1.0

    def send() -> None:
        with workspace_scope(EVERY):
            curator.post(GENERATE, order)

    working = in_background(send)
    eventually(lambda: claude.requests)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        others = cursor.fetchone()[0]
    working.join(timeout=20)
    assert others == 0


def test_respond_async_lets_the_workers_write_it(curator: Api, claude: SimulatedClaude, order: dict[str, Any]) -> None:
    configured = {**order, "configuration": {"max_tokens": 5000}}
    accepted = curator.post(GENERATE, configured, HTTP_PREFER="wait=5, respond-async")
    assert accepted.status_code == 202
    draft, job = Conversation.objects.get(), BatchJob.objects.get()
    assert accepted["Preference-Applied"] == "respond-async"
    assert accepted["Location"] == f"http://testserver/api/conversations/{draft.pk}/status/"
    assert (job.priority, job.total_items, job.max_tokens, job.name) == ("high", 1, 5000, f"Generate {draft}")
    status = accepted.json()
    assert (status["status"], status["batch"], status["items_before"]) == ("draft", str(job.pk), 0)
    assert status["seconds_remaining"] > 0
    assert claude.requests == []


def test_respond_async_sent_again_makes_no_second_draft_and_no_second_batch(
    curator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    options = {**KEY, "HTTP_PREFER": "respond-async"}
    curator.post(GENERATE, order, **options)
    again = curator.post(GENERATE, order, **options)
    assert (again.status_code, again["Idempotent-Replayed"]) == (202, "true")
    assert (Conversation.objects.count(), BatchJob.objects.count()) == (1, 1)


def test_respond_async_of_one_that_a_batch_is_at_is_a_conflict(
    curator: Api, claude: SimulatedClaude, workspace: Workspace
) -> None:
    draft = ConversationFactory(workspace=workspace)
    asked = {"conversation": str(draft)}
    assert curator.post(GENERATE, asked, HTTP_PREFER="respond-async").status_code == 202
    again = curator.post(GENERATE, asked, HTTP_PREFER="respond-async")
    assert problems(again, 409) == {None: "conflict"}
    assert str(draft) in told(again)


def test_one_that_waits_in_a_batch_is_left_to_it(curator: Api, claude: SimulatedClaude, order: dict[str, Any]) -> None:
    curator.post(GENERATE, order, **KEY, HTTP_PREFER="respond-async")
    refused = curator.post(GENERATE, order, **KEY)
    assert problems(refused, 409) == {None: "not_claimable"}
    assert refused["Retry-After"] == "2"
    assert claude.requests == []


def test_a_preview_shows_the_prompt_and_the_cost_and_makes_nothing(
    operator: Api, claude: SimulatedClaude, order: dict[str, Any]
) -> None:
    answer = operator.post("conversations/preview/", order)
    assert answer.status_code == 200
    shown = answer.json()
    assert "Talk about Pensions in Oslo." in shown["prompt"]
    assert shown["input_tokens"] > 0
    assert float(shown["cost_usd"]["likely"]) > 0
    missing = operator.post("conversations/preview/", {**order, "parameters": {}})
    assert problems(missing, 400) == {"parameters.city": "prompt_unresolved"}
    assert not Conversation.objects.exists()
    assert claude.arrivals.of("messages") == []
    assert not GenerationLog.objects.exists()


def test_a_model_that_a_preview_names_and_nobody_knows_is_its_own_mistake_too(
    operator: Api, claude: SimulatedClaude, order: dict[str, Any], template: PromptTemplate
) -> None:
    asked = {"configuration": {"model": "claude-of-tomorrow"}}
    refused = operator.post("conversations/preview/", {**order, **asked})
    assert problems(refused, 400) == {"configuration.model": "model_unknown"}
    words = {"topic": "pensions", "parameters": {"city": "Oslo"}, "count_tokens": True}
    refused = operator.post(f"templates/{template.pk}/resolve/", {**words, **asked})
    assert problems(refused, 400) == {"configuration.model": "model_unknown"}
