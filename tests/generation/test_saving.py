"""How a generation ends in the database: with all of it or with a reason, and only for whoever holds the claim."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from conversations.models import Conversation, Fingerprint, PromptTemplate
from generation import claims, logs, saving
from generation.answers import Answer, Usage
from generation.attempts import Attempt, Success
from generation.drafts import Drafts
from generation.errors import GenerationError, Overloaded, ReplyCutOff
from generation.models import GenerationLog
from generation.pricing import cost_of
from generation.reply import Reply
from tests.factories import ChunkFactory, ConversationFactory, PromptTemplateFactory
from tests.statuses import put

pytestmark = pytest.mark.django_db

MODEL = "claude-sonnet-5-5"
USAGE = Usage(input=1_000, output=300, cache_read=200, cache_write=100)
EARLIER = Decimal("0.25")  # spent by attempts that failed


def words(seed: int, count: int = 60) -> str:
    """Text that shares no phrase with that of another seed."""
    return " ".join(f"w{seed}x{number}" for number in range(count)) + "."


def talk(length: int, *, seed: int = 1) -> list[dict[str, str]]:
    return [
        {"role": ("user", "assistant")[number % 2], "content": words(seed * 1_000 + number)} for number in range(length)
    ]


def a_success(
    *, seed: int = 1, model: str = MODEL, title: str = "A talk", turns: list[dict[str, str]] | None = None
) -> Success:
    answer = Answer("the text", model, USAGE, "req_1", {"id": "msg_1"})
    cost = cost_of(model, USAGE)
    attempt = Attempt(2, {"model": MODEL, "messages": []}, 1.25, answer, cost)
    reply = Reply.model_validate({"title": title, "turns": turns or talk(8, seed=seed)})
    return Success(reply, answer, attempt, spent_usd=EARLIER + cost.usd)


def a_claimed_draft(**fields: Any) -> tuple[Conversation, UUID]:
    draft = ConversationFactory(**fields)
    claim = claims.take_one(draft.pk)
    return Drafts().load([draft.pk])[draft.pk], claim


def again(draft: Conversation) -> Conversation:
    return Conversation.objects.get(pk=draft.pk)


def everything(draft: Conversation) -> dict[str, Any]:
    """All that saving could change."""
    row = Conversation.objects.filter(pk=draft.pk).values().get()
    return {**row, "turns": list(draft.turns.values()), "fingerprints": list(Fingerprint.objects.values())}


# --- Success ---------------------------------------------------------------------------------------------


def test_a_success_is_saved_whole() -> None:
    draft, claim = a_claimed_draft(template__version=4, cost_usd=Decimal("0.5"), failure_type="overloaded")
    success = a_success()
    assert saving.save(draft, claim, success)
    made = again(draft)
    assert (made.title, made.turn_count, made.template_version) == ("A talk", 8, 4)
    assert (made.model, made.simulated) == (MODEL, False)
    assert (made.input_tokens, made.output_tokens) == (1_300, 300)
    assert made.cost_usd == Decimal("0.5") + success.spent_usd, "what earlier runs cost stays counted"
    assert (made.failure_type, made.failure_message) == ("", "")
    assert (made.claim, made.claim_expires_at) == (None, None)
    assert made.quality_score is not None
    assert made.quality_metrics["components"]
    assert made.updated_at > draft.updated_at


def test_its_turns_keep_their_order_and_share_the_output_tokens() -> None:
    draft, claim = a_claimed_draft()
    saving.save(draft, claim, a_success())
    turns = list(draft.turns.all())
    assert [(turn.position, turn.role) for turn in turns[:3]] == [(1, "user"), (2, "assistant"), (3, "user")]
    assert [turn.content for turn in turns] == [turn.content for turn in a_success().reply.turns]
    assert abs(sum(turn.token_count for turn in turns) - 300) <= len(turns)
    assert {turn.workspace_id for turn in turns} == {draft.workspace_id}


def test_it_is_logged_with_its_cost_and_what_was_said() -> None:
    draft, claim = a_claimed_draft()
    saving.save(draft, claim, a_success())
    log = GenerationLog.objects.get()
    assert (log.status, log.attempt, log.run_id, log.request_id) == ("succeeded", 2, claim, "req_1")
    assert (log.conversation_id, log.template_id, log.workspace_id) == (
        draft.pk,
        draft.template_id,
        draft.workspace_id,
    )
    assert (log.request, log.response) == ({"model": MODEL, "messages": []}, {"id": "msg_1"})
    assert (log.input_tokens, log.output_tokens, log.cache_read_tokens, log.cache_write_tokens) == (
        *(1_000, 300, 200, 100),
    )
    assert log.cost_usd == cost_of(MODEL, USAGE).usd, "this attempt's own, without the earlier ones"
    assert (log.duration_ms, log.price_assumed, log.error_type) == (1_250, False, "")


def test_the_templates_uses_are_counted() -> None:
    draft, claim = a_claimed_draft(template__usage_count=7)
    saving.save(draft, claim, a_success())
    assert draft.template is not None
    draft.template.refresh_from_db()
    assert draft.template.usage_count == 8


def test_what_simulated_claude_wrote_is_marked() -> None:
    draft, claim = a_claimed_draft()
    saving.save(draft, claim, a_success(model=f"simulated-{MODEL}"))
    assert again(draft).simulated


def test_an_assumed_price_is_marked_in_the_log() -> None:
    draft, claim = a_claimed_draft()
    saving.save(draft, claim, a_success(model="claude-of-next-year"))
    assert GenerationLog.objects.get().price_assumed


def test_a_weak_one_waits_for_review_and_a_good_one_does_not() -> None:
    weak, weak_claim = a_claimed_draft()
    saving.save(weak, weak_claim, a_success(turns=talk(1)))
    assert again(weak).status == "pending_review"
    assert again(weak).quality_score < 6
    good, good_claim = a_claimed_draft()
    saving.save(good, good_claim, a_success(turns=talk(12, seed=2)))
    assert again(good).quality_score >= 6
    assert again(good).status == "generated"


def test_a_failed_one_that_is_made_again_has_only_its_new_turns() -> None:
    draft, claim = a_claimed_draft(status="failed")
    saving.save(draft, claim, a_success(turns=talk(10)))
    put(draft, "failed")
    retaken = claims.take_one(draft.pk)
    new = a_success(turns=talk(6, seed=2))
    assert saving.save(Drafts().load([draft.pk])[draft.pk], retaken, new)
    assert [turn.content for turn in draft.turns.all()] == [turn.content for turn in new.reply.turns]
    assert Fingerprint.objects.filter(conversation=draft).count() == 1


def test_a_long_title_is_cut_to_its_column() -> None:
    draft, claim = a_claimed_draft()
    saving.save(draft, claim, a_success(title="long " * 200))
    assert len(again(draft).title) == 300


def test_text_that_postgresql_refuses_is_saved_without_the_offence() -> None:
    draft, claim = a_claimed_draft()
    turns = [{"role": "user", "content": "a\x00b \ud800 c"}, {"role": "assistant", "content": "Fine.\x00"}]
    assert saving.save(draft, claim, a_success(title="N\x00UL", turns=turns))
    assert again(draft).title == "NUL"
    assert [turn.content for turn in draft.turns.all()] == ["ab � c", "Fine."]


def test_a_turn_without_text_is_saved_as_it_is() -> None:
    draft, claim = a_claimed_draft()
    turns = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": ""}]
    assert saving.save(draft, claim, a_success(turns=turns))
    assert [turn.token_count for turn in draft.turns.all()] == [300, 0]


# --- Near duplicates --------------------------------------------------------------------------------------


def _uniqueness(draft: Conversation) -> dict[str, Any]:
    [component] = [one for one in again(draft).quality_metrics["components"] if one["name"] == "uniqueness"]
    return component


def test_a_near_duplicate_is_flagged_with_the_one_it_resembles() -> None:
    first, claim = a_claimed_draft()
    saving.save(first, claim, a_success(seed=1))
    second, second_claim = a_claimed_draft(workspace=first.workspace, template=first.template)
    saving.save(second, second_claim, a_success(seed=1))
    assert first.conversation_id in str(_uniqueness(second))
    assert _uniqueness(second)["score"] < _uniqueness(first)["score"]


def test_the_same_words_in_another_workspace_are_no_duplicate() -> None:
    first, claim = a_claimed_draft()
    saving.save(first, claim, a_success(seed=1))
    other, other_claim = a_claimed_draft()
    saving.save(other, other_claim, a_success(seed=1))
    assert _uniqueness(other)["score"] == _uniqueness(first)["score"]


@pytest.mark.parametrize("status", ["archived", "rejected"])
def test_one_that_is_out_of_use_is_not_compared_with(status: str) -> None:
    first, claim = a_claimed_draft()
    saving.save(first, claim, a_success(seed=1))
    Conversation.objects.filter(pk=first.pk).update(status=status)
    second, second_claim = a_claimed_draft(workspace=first.workspace, template=first.template)
    saving.save(second, second_claim, a_success(seed=1))
    assert first.conversation_id not in str(_uniqueness(second))


def test_the_source_counts_in_the_score() -> None:
    chunk = ChunkFactory(text="Cash first, then shares. " * 20)
    draft, claim = a_claimed_draft(workspace=chunk.workspace, chunk=chunk)
    assert saving.save(draft, claim, a_success())


# --- The claim that was lost ------------------------------------------------------------------------------


def test_after_the_claim_was_lost_nothing_is_changed_but_the_log_says_what_it_cost() -> None:
    draft, claim = a_claimed_draft()
    Conversation.objects.filter(pk=draft.pk).update(claim=uuid4())
    before = everything(draft)
    assert not saving.save(draft, claim, a_success())
    assert everything(draft) == before
    log = GenerationLog.objects.get()
    assert (log.status, log.cost_usd, log.run_id) == ("discarded", cost_of(MODEL, USAGE).usd, claim)
    assert draft.template is not None
    draft.template.refresh_from_db()
    assert draft.template.usage_count == 0


def test_saving_once_more_because_the_databases_answer_was_lost_changes_nothing() -> None:
    draft, claim = a_claimed_draft()
    assert saving.save(draft, claim, a_success(seed=1))
    before = everything(draft)
    assert saving.save(draft, claim, a_success(seed=1))
    assert everything(draft) == before
    assert list(GenerationLog.objects.values_list("status", flat=True)) == ["succeeded"]


class Named(saving.Orderer):
    """An orderer that writes a template at the end, and says what it is told to say."""

    def __init__(self, draft: Conversation, *, holds: bool = True, breaks: bool = False) -> None:
        self.draft, self.answer, self.breaks = draft, holds, breaks
        self.ended: list[tuple[str, Decimal]] = []

    def holds(self) -> bool:
        assert again(self.draft).status == "generating", "the orderer comes first: all lock rows in one order"
        return self.answer

    def end(self, error: GenerationError | None, spent_usd: Decimal) -> None:
        assert again(self.draft).status != "generating", "what many write comes last: they want its locks"
        PromptTemplateFactory(name="Written by the orderer", workspace=self.draft.workspace)
        if self.breaks:
            raise RuntimeError("half way")
        self.ended.append((error.code() if error else "", spent_usd))

    @property
    def written(self) -> bool:
        return PromptTemplate.objects.filter(name="Written by the orderer").exists()


def test_the_orderers_no_keeps_everything_as_it_was() -> None:
    draft, claim = a_claimed_draft()
    orderer = Named(draft, holds=False)
    before = everything(draft)
    assert not saving.save(draft, claim, a_success(), orderer=orderer)
    assert everything(draft) == before
    assert orderer.ended == []
    assert GenerationLog.objects.get().status == "discarded"


def test_the_orderer_ends_nothing_when_the_claim_was_lost() -> None:
    draft, claim = a_claimed_draft()
    Conversation.objects.filter(pk=draft.pk).update(claim=uuid4())
    orderer = Named(draft)
    assert not saving.save(draft, claim, a_success(), orderer=orderer)
    assert not saving.fail(draft, claim, Overloaded(), orderer=orderer)
    assert orderer.ended == []


def test_the_orderers_writes_are_kept_with_the_rest() -> None:
    draft, claim = a_claimed_draft()
    orderer = Named(draft)
    success = a_success()
    assert saving.save(draft, claim, success, orderer=orderer)
    assert (orderer.written, orderer.ended) == (True, [("", success.spent_usd)])


def test_a_failure_is_ended_with_its_reason_and_cost() -> None:
    draft, claim = a_claimed_draft()
    orderer = Named(draft)
    assert saving.fail(draft, claim, Overloaded(), spent_usd=EARLIER, orderer=orderer)
    assert orderer.ended == [("overloaded", EARLIER)]


def test_an_error_half_way_leaves_everything_as_it_was() -> None:
    draft, claim = a_claimed_draft()
    before = everything(draft)
    orderer = Named(draft, breaks=True)
    with pytest.raises(RuntimeError):
        saving.save(draft, claim, a_success(), orderer=orderer)
    assert everything(draft) == before
    assert not orderer.written
    assert not GenerationLog.objects.exists()


# --- Failure ---------------------------------------------------------------------------------------------


def test_a_failure_keeps_its_reason_and_what_it_cost() -> None:
    draft, claim = a_claimed_draft(cost_usd=Decimal("0.5"))
    assert saving.fail(draft, claim, ReplyCutOff(), spent_usd=EARLIER)
    failed = again(draft)
    assert (failed.status, failed.failure_type) == ("failed", "reply_cut_off")
    assert failed.failure_message == str(ReplyCutOff())
    assert failed.cost_usd == Decimal("0.75")
    assert (failed.claim, failed.claim_expires_at) == (None, None)
    assert not failed.turns.exists()
    assert not GenerationLog.objects.exists(), "the attempts were logged one by one"


def test_a_failure_without_the_claim_changes_nothing() -> None:
    draft, claim = a_claimed_draft()
    Conversation.objects.filter(pk=draft.pk).update(claim=uuid4())
    before = everything(draft)
    assert not saving.fail(draft, claim, Overloaded(), spent_usd=EARLIER)
    assert everything(draft) == before


def test_a_failure_that_the_caller_does_not_own_changes_nothing() -> None:
    draft, claim = a_claimed_draft()
    before = everything(draft)
    assert not saving.fail(draft, claim, Overloaded(), orderer=Named(draft, holds=False))
    assert everything(draft) == before


# --- Rows that were deleted while Claude wrote -------------------------------------------------------------


def test_a_conversation_that_was_deleted_meanwhile_is_lost_but_its_cost_is_logged() -> None:
    draft, claim = a_claimed_draft()
    success = a_success()
    Conversation.objects.filter(pk=draft.pk).delete()
    assert not saving.save(draft, claim, success)
    log = GenerationLog.objects.get()
    assert (log.status, log.conversation_id, log.cost_usd) == ("discarded", None, success.attempt.cost.usd)


@pytest.mark.django_db(transaction=True)  # the foreign keys are checked at commit
def test_a_template_that_was_deleted_meanwhile_costs_no_conversation() -> None:
    draft, claim = a_claimed_draft()
    assert draft.template is not None
    type(draft.template).objects.filter(pk=draft.template_id).delete()
    assert saving.save(draft, claim, a_success())
    made = again(draft)
    assert (made.template_id, made.turn_count) == (None, 8)
    assert GenerationLog.objects.get().template_id is None


@pytest.mark.django_db(transaction=True)
def test_a_failed_attempt_at_a_deleted_conversation_is_logged() -> None:
    draft, claim = a_claimed_draft()
    Conversation.objects.filter(pk=draft.pk).delete()
    logs.write(draft, claim, Attempt(1, {"model": MODEL}, 0.5, error=Overloaded(request_id="req_9")))
    log = GenerationLog.objects.get()
    assert (log.status, log.error_type, log.request_id, log.model) == ("failed", "overloaded", "req_9", MODEL)
    assert (log.conversation_id, log.template_id) == (None, draft.template_id)
