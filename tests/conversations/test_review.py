"""A reviewer's decisions: `conversations.review.decide`."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db.models import QuerySet

from conversations.choices import Status
from conversations.models import Conversation
from conversations.review import LEADS_TO, Decision, decide
from conversations.transitions import CONVERSATION
from tests.factories import ConversationFactory, UserFactory

pytestmark = pytest.mark.django_db

REVIEWABLE = {"generated", "pending_review", "needs_revision"}


def one(status: str, **values: object) -> Conversation:
    return ConversationFactory(status=status, claim=uuid4() if status == "generating" else None, **values)


def row(conversation: Conversation) -> QuerySet[Conversation]:
    return Conversation.objects.filter(pk=conversation.pk)


@pytest.mark.parametrize("decision", Decision)
@pytest.mark.parametrize("status", Status)
def test_a_decision_is_taken_exactly_where_the_design_allows_it(decision: Decision, status: Status) -> None:
    archivable = set(Status) - {"generating", "archived"}
    allowed = status in (archivable if decision == Decision.ARCHIVE else REVIEWABLE)
    conversation = one(status)
    decided = decide(row(conversation), decision=decision, by=UserFactory())
    conversation.refresh_from_db()
    if allowed:
        assert decided.changed == [conversation.conversation_id]
        assert (conversation.status, len(conversation.review_history)) == (LEADS_TO[decision], 1)
    else:
        assert decided.refused == {conversation.conversation_id: status}
        assert (conversation.status, conversation.review_history) == (status, [])


def test_the_history_gains_who_when_what_and_the_score_of_that_moment() -> None:
    reviewer = UserFactory(username="mona")
    conversation = one("pending_review", quality_score=Decimal("5.4"))
    decide(row(conversation), decision=Decision.REQUEST_CHANGES, by=reviewer, note="Too short.")
    decide(row(conversation), decision=Decision.APPROVE, by=reviewer)
    conversation.refresh_from_db()
    first, second = conversation.review_history
    assert datetime.fromisoformat(first.pop("at")).tzinfo is not None
    assert first == {
        "by": "mona",
        "by_id": str(reviewer.pk),
        "decision": "request_changes",
        "note": "Too short.",
        "score": 5.4,
    }
    assert (second["decision"], second["note"]) == ("approve", "")
    assert conversation.status == "approved"


def test_a_conversation_without_a_score_is_archived_with_none() -> None:
    draft = one("draft")
    decide(row(draft), decision=Decision.ARCHIVE, by=UserFactory())
    draft.refresh_from_db()
    assert draft.review_history[0]["score"] is None


def test_of_many_each_is_judged_by_its_own_status() -> None:
    good, failed, gone = one("generated"), one("failed"), one("archived")
    decided = decide(Conversation.objects.all(), decision=Decision.APPROVE, by=UserFactory())
    assert decided.changed == [good.conversation_id]
    assert decided.refused == {failed.conversation_id: Status.FAILED, gone.conversation_id: Status.ARCHIVED}
    assert decided.reason == (
        f"{failed.conversation_id} (failed), {gone.conversation_id} (archived) cannot become approved: "
        "a conversation must be generated, pending review or needs revision for that."
    )


def test_a_refusal_of_many_names_five_and_counts_the_others() -> None:
    for _ in range(7):
        one("draft")
    decided = decide(Conversation.objects.all(), decision=Decision.REJECT, by=UserFactory())
    assert decided.reason.count("TPL-") == 5
    assert " and 2 more cannot become rejected" in decided.reason


def test_when_none_is_refused_there_is_no_reason() -> None:
    decided = decide(row(one("generated")), decision=Decision.APPROVE, by=UserFactory())
    assert decided.reason == ""


def test_only_the_conversations_given_are_changed() -> None:
    chosen, other = one("generated"), one("generated")
    decide(row(chosen), decision=Decision.APPROVE, by=UserFactory())
    other.refresh_from_db()
    assert (other.status, other.review_history) == ("generated", [])


def test_the_table_of_transitions_knows_every_status() -> None:
    assert set(CONVERSATION.may_become) == set(Status)
    assert CONVERSATION.before(Status.GENERATING) == (Status.DRAFT, Status.FAILED)
