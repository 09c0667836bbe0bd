"""One draft becomes one conversation: `generation.service.generate`, over real HTTP."""

import pytest

from conversations.models import Conversation
from generation.errors import NotClaimable, Overloaded, PromptUnresolved
from generation.models import GenerationLog
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.factories import ConversationFactory

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
