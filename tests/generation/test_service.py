"""One draft becomes one conversation: `generation.service.generate`, over real HTTP."""

import signal
import subprocess
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from conversations.models import Conversation
from convgen.tenancy import EVERY, workspace_scope
from generation import claims
from generation.configuration import Overrides
from generation.errors import ConfigurationInvalid, NotClaimable, Overloaded, PromptUnresolved
from generation.models import GenerationLog
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.background import in_background
from tests.factories import ConversationFactory
from tests.processes import environment, eventually, manage

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_draft_becomes_a_scored_conversation(claude: SimulatedClaude) -> None:
    draft = ConversationFactory()
    made = generate(draft.pk)
    assert made.status == "generated"
    assert made.quality_score >= 6
    assert made.turn_count == made.turns.count() >= 6
    assert made.simulated
    assert made.cost_usd > 0
    log = GenerationLog.objects.get()
    assert (log.status, log.conversation_id, log.cost_usd) == ("succeeded", draft.pk, made.cost_usd)


def test_a_passing_fault_is_tried_again_and_both_attempts_are_logged(claude: SimulatedClaude) -> None:
    claude.behaviour.script.extend(["529"])
    made = generate(ConversationFactory().pk)
    assert made.status == "generated"
    attempts = GenerationLog.objects.order_by("attempt").values_list("attempt", "status", "error_type")
    assert list(attempts) == [(1, "failed", "overloaded"), (2, "succeeded", "")]


def test_after_three_attempts_the_draft_is_failed_with_the_reason(claude: SimulatedClaude) -> None:
    claude.behaviour.script.extend(["529"] * 3)
    draft = ConversationFactory()
    with pytest.raises(Overloaded):
        generate(draft.pk)
    draft.refresh_from_db()
    assert (draft.status, draft.failure_type, draft.turn_count) == ("failed", "overloaded", 0)
    assert len(claude.requests) == 3


def test_a_failed_conversation_can_be_generated_again(claude: SimulatedClaude) -> None:
    draft = ConversationFactory(status="failed", failure_type="overloaded", failure_message="Busy.")
    made = generate(draft.pk)
    assert (made.status, made.failure_type, made.failure_message) == ("generated", "", "")


def test_a_finished_conversation_is_refused_and_left_as_it_is(claude: SimulatedClaude) -> None:
    made = generate(ConversationFactory().pk)
    with pytest.raises(NotClaimable):
        generate(made.pk)
    assert Conversation.objects.get(pk=made.pk).title == made.title
    assert len(claude.requests) == 1


def test_missing_values_fail_the_draft_without_a_request(claude: SimulatedClaude) -> None:
    draft = ConversationFactory(template__structure="Talk about {{amount}} in {{city}}.")
    with pytest.raises(PromptUnresolved, match=r"2 values are missing: amount .*city"):
        generate(draft.pk)
    draft.refresh_from_db()
    assert (draft.status, draft.failure_type) == ("failed", "prompt_unresolved")
    assert claude.requests == []


def test_values_given_for_the_run_come_before_all_others(claude: SimulatedClaude) -> None:
    draft = ConversationFactory(template__structure="The city is {{city}}.", parameters={"city": "Bergen"})
    generate(draft.pk, parameters={"city": "Oslo"})
    assert "The city is Oslo." in claude.requests[0]["messages"][0]["content"]


def test_the_runs_own_say_comes_before_the_templates_and_the_workspaces(claude: SimulatedClaude) -> None:
    draft = ConversationFactory(template__model="claude-opus-5-5", template__effort="max", workspace__max_tokens=9_000)
    generate(draft.pk, overrides=Overrides(effort="low"))
    [request] = claude.requests
    assert (request["model"], request["max_tokens"]) == ("claude-opus-5-5", 9_000)
    assert request["output_config"]["effort"] == "low"


def test_what_the_model_does_not_take_fails_the_draft_without_a_request(claude: SimulatedClaude) -> None:
    draft = ConversationFactory(template__name="Grief", template__temperature="0.7")
    with pytest.raises(ConfigurationInvalid, match=r"temperature 0\.70 \(template “Grief”\) is not taken"):
        generate(draft.pk)
    draft.refresh_from_db()
    assert (draft.status, draft.failure_type) == ("failed", "configuration_invalid")
    assert claude.requests == []


def _generating(draft: Conversation) -> threading.Thread:
    def work() -> None:
        with workspace_scope(EVERY):
            generate(draft.pk)

    return in_background(work)


def test_no_connection_is_held_while_claude_writes(claude: SimulatedClaude) -> None:
    claude.behaviour.latency = 1.0
    working = _generating(ConversationFactory())
    eventually(lambda: claude.requests)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        others = cursor.fetchone()[0]
    working.join()
    assert others == 0
    assert Conversation.objects.get().status == "generated"


def test_the_claim_is_kept_however_long_claude_takes(claude: SimulatedClaude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 0.6)
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.1)
    claude.behaviour.latency = 1.5
    draft = ConversationFactory()
    working = _generating(draft)
    eventually(lambda: claude.requests)
    while working.is_alive():
        assert claims.expire() == 0
        working.join(timeout=0.1)
    draft.refresh_from_db()
    assert draft.status == "generated"


@pytest.mark.parametrize("waits_for", ["Claude", "another attempt"])
def test_ctrl_c_gives_the_draft_back_with_what_was_spent(
    claude: SimulatedClaude, settings: Any, waits_for: str
) -> None:
    if waits_for == "Claude":
        claude.when("", "hang", times=None)
    else:
        claude.when("", "cut-off", times=None)
    draft = ConversationFactory(workspace__is_default=True, conversation_id="TPL-0900")
    command = manage("generate_conversation", "TPL-0900")
    process = subprocess.Popen(command, env=environment(GENERATION_FIRST_WAIT="60"), stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: claude.arrivals and (waits_for == "Claude" or claude.arrivals[0].status == 200), seconds=30)
        if waits_for != "Claude":
            eventually(GenerationLog.objects.exists)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) != 0
    finally:
        process.kill()
        process.wait()
    draft.refresh_from_db()
    assert (draft.status, draft.claim) == ("draft", None)
    assert draft.cost_usd == sum(GenerationLog.objects.values_list("cost_usd", flat=True))
    assert (draft.cost_usd > 0) is (waits_for != "Claude")


def test_inside_a_transaction_it_is_refused_before_anything_is_claimed(claude: SimulatedClaude) -> None:
    draft = ConversationFactory()
    with pytest.raises(TransactionManagementError, match="outside of a transaction"), transaction.atomic():
        generate(draft.pk)
    draft.refresh_from_db()
    assert (draft.status, claude.requests) == ("draft", [])
