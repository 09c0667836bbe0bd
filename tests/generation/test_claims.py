"""The claim: of two who want to generate a conversation, one may."""

import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.utils import timezone

from conversations.choices import Status
from conversations.models import Conversation
from convgen.tenancy import EVERY, workspace_scope
from generation.claims import CLAIM_SECONDS, Claim, expire, renew, take, take_one
from generation.errors import NotClaimable
from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db(transaction=True)


def claimed(draft: Conversation) -> tuple[str, UUID | None]:
    draft.refresh_from_db()
    return draft.status, draft.claim


def generating(*, expires_in: float = 60.0) -> Conversation:
    """A conversation that somebody has claimed; seconds."""
    expires = timezone.now() + timedelta(seconds=expires_in)
    draft: Conversation = ConversationFactory(status="generating", claim=uuid4(), claim_expires_at=expires)
    return draft


@pytest.mark.parametrize("status", ["draft", "failed"])
def test_a_draft_or_failed_conversation_can_be_claimed(status: str) -> None:
    draft = ConversationFactory(status=status)
    claim = take_one(draft.pk)
    assert claimed(draft) == ("generating", claim)


@pytest.mark.parametrize(
    "status", [status for status in Status.values if status not in ("draft", "failed", "generating")]
)
def test_no_other_can_and_the_refusal_says_why(status: str) -> None:
    draft = ConversationFactory(status=status)
    with pytest.raises(NotClaimable, match=f"The conversation is {status}: only drafts and failed"):
        take_one(draft.pk)
    assert claimed(draft) == (status, None)


def test_one_that_is_being_generated_is_refused_and_its_holder_keeps_it() -> None:
    draft = generating()
    holder = draft.claim
    with pytest.raises(NotClaimable, match="is generating"):
        take_one(draft.pk)
    assert claimed(draft) == ("generating", holder)


def test_one_that_was_deleted_is_gone() -> None:
    with pytest.raises(NotClaimable, match="The conversation is gone"):
        take_one(uuid4())


def test_an_expired_claim_is_taken_over() -> None:
    draft = generating(expires_in=-1)
    claim = take_one(draft.pk)
    assert claimed(draft) == ("generating", claim)


def test_the_same_items_former_claim_is_taken_over_at_once() -> None:
    draft = generating()
    claim = Claim(draft.pk, uuid4(), former=draft.claim)
    assert take([claim]) == {draft.pk}
    assert claimed(draft) == ("generating", claim.id)


@pytest.mark.parametrize("former", [None, uuid4()], ids=["no former claim", "another's former claim"])
def test_a_live_claim_is_not_taken_over_by_others(former: UUID | None) -> None:
    draft = generating()
    assert take([Claim(draft.pk, uuid4(), former=former)]) == set()
    assert claimed(draft) == ("generating", draft.claim)


def test_several_are_claimed_at_once_and_only_those_that_are_free() -> None:
    free, failed, done, busy = (
        ConversationFactory(),
        ConversationFactory(status="failed"),
        ConversationFactory(status="approved"),
        generating(),
    )
    wanted = [Claim(one.pk, uuid4()) for one in (free, failed, done, busy)]
    assert take(wanted) == {free.pk, failed.pk}
    assert [claimed(one)[1] for one in (free, failed)] == [wanted[0].id, wanted[1].id]


def test_nothing_wanted_is_nothing_claimed() -> None:
    assert take([]) == set()


def test_of_many_at_once_one_wins() -> None:
    drafts = ConversationFactory.create_batch(5)
    barrier = threading.Barrier(6)
    won: list[tuple[UUID, UUID]] = []

    @workspace_scope(EVERY)
    def claim_all() -> None:
        try:
            for draft in drafts:
                claim = Claim(draft.pk, uuid4())
                barrier.wait(timeout=10)
                won.extend((taken, claim.id) for taken in take([claim]))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim_all) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pk for pk, _claim in won) == sorted(draft.pk for draft in drafts)
    for draft in drafts:
        assert claimed(draft) == ("generating", dict(won)[draft.pk])


def seconds_left(draft: Conversation) -> float:
    draft.refresh_from_db()
    assert draft.claim_expires_at is not None
    return (draft.claim_expires_at - timezone.now()).total_seconds()


def test_a_claim_ends_by_itself_two_minutes_after_its_holder_died() -> None:
    draft = ConversationFactory()
    take_one(draft.pk)
    assert CLAIM_SECONDS - 5 < seconds_left(draft) <= CLAIM_SECONDS == 120


def test_its_holder_can_renew_it() -> None:
    draft = generating(expires_in=1)
    assert renew([Claim(draft.pk, draft.claim)]) == 1
    assert seconds_left(draft) > CLAIM_SECONDS - 5


def test_whoever_lost_it_cannot_and_is_told() -> None:
    draft = generating(expires_in=-1)
    former = Claim(draft.pk, draft.claim)
    take_one(draft.pk)
    assert renew([former, Claim(uuid4(), uuid4())]) == 0


def test_one_that_ended_fails_the_conversation_and_can_be_renewed_no_more() -> None:
    draft = generating(expires_in=-1)
    former = Claim(draft.pk, draft.claim)
    assert expire() == 1
    draft.refresh_from_db()
    assert (draft.status, draft.failure_type) == ("failed", "abandoned")
    assert renew([former]) == 0


def test_a_claim_shows_in_the_date_of_change() -> None:
    draft = ConversationFactory()
    before = draft.updated_at
    take_one(draft.pk)
    draft.refresh_from_db()
    assert draft.updated_at > before
