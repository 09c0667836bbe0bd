"""The claim: who may generate a conversation at this moment, and save it.

A claim is a conditional UPDATE to `generating`, so that of two callers one wins. Saving is another, on the claim's
id: whoever lost the claim meanwhile changes nothing. A claim ends by itself unless its holder renews it, which it does
however long it waits for the limit or for Claude. One that its holder never gave back (the process died) can be taken
over: by the same batch item at once, by others when it expires.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from conversations.choices import Status
from conversations.models import Conversation
from generation.errors import Abandoned, NotClaimable

CLAIM_SECONDS = 120.0  # how long a claim lasts without being renewed
RENEW_SECONDS = CLAIM_SECONDS / 4  # how often its holder renews it

TAKE = """
UPDATE conversations_conversation AS conversation
SET status = 'generating', claim = wanted.claim, updated_at = clock_timestamp(),
    claim_expires_at = clock_timestamp() + %s * interval '1 second'
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS wanted (id, claim, former)
WHERE conversation.id = wanted.id
  AND (
    conversation.status IN ('draft', 'failed')
    OR conversation.status = 'generating' AND (
      conversation.claim IN (wanted.former, wanted.claim)  -- our own: this is asked again, the answer was lost
      OR conversation.claim_expires_at < clock_timestamp()
    )
  )
RETURNING conversation.id
"""

RENEW = """
UPDATE conversations_conversation SET claim_expires_at = clock_timestamp() + %s * interval '1 second'
WHERE claim = ANY(%s::uuid[]) AND id = ANY(%s::uuid[]) AND status = 'generating'
"""

# Without waiting for a row that is being saved at this moment.
KEEP = """
UPDATE conversations_conversation AS conversation
SET claim_expires_at = clock_timestamp() + %s * interval '1 second'
FROM (
    SELECT id FROM conversations_conversation
    WHERE claim = ANY(%s::uuid[]) AND id = ANY(%s::uuid[]) AND status = 'generating'
    FOR NO KEY UPDATE SKIP LOCKED
) AS held
WHERE conversation.id = held.id
"""


@dataclass(frozen=True)
class Claim:
    conversation_id: UUID
    id: UUID
    former: UUID | None = None  # the claim of the same batch item's interrupted try, which it takes over


def take(claims: Sequence[Claim]) -> set[UUID]:
    """Claim conversations; the ids of those that were free (drafts, failed ones, expired or former claims)."""
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            [
                CLAIM_SECONDS,
                [claim.conversation_id for claim in claims],
                [claim.id for claim in claims],
                [claim.former for claim in claims],
            ],
        )
        return {row[0] for row in cursor.fetchall()}


def take_one(conversation_id: UUID, *, claim: UUID | None = None) -> UUID:
    """Claim one conversation; the claim's id, which is `claim` when given. Raises `NotClaimable`."""
    claim = claim or uuid4()
    if not take([Claim(conversation_id, claim)]):
        status = Conversation.objects.filter(pk=conversation_id).values_list("status", flat=True).first()
        raise NotClaimable(
            f"The conversation is {status or 'gone'}: only drafts and failed conversations can be generated."
        )
    return claim


def hold(claims: Collection[Claim]) -> None:
    """Have claims last until they are given back or saved: somebody else than a process answers for them."""
    ids, keys = [claim.conversation_id for claim in claims], [claim.id for claim in claims]
    held = Conversation.objects.filter(pk__in=ids, claim__in=keys, status=Status.GENERATING)
    held.update(claim_expires_at=None)


def renew(claims: Collection[Claim]) -> int:
    """Keep claims for another while; how many of them are still held."""
    return _prolong(RENEW, claims)


def keep(claims: Collection[Claim]) -> None:
    """The same for the claims of many, some of which are being saved at this moment: these are passed over."""
    _prolong(KEEP, claims)


def _prolong(statement: str, claims: Collection[Claim]) -> int:
    with connection.cursor() as cursor:
        ids = [claim.conversation_id for claim in claims]
        cursor.execute(statement, [CLAIM_SECONDS, [claim.id for claim in claims], ids])
        return int(cursor.rowcount)


def give_back(conversation_id: UUID, claim: UUID, spent_usd: Decimal) -> None:
    """Let go of a claim before anything came of it: the conversation is what it was before, but for what was spent."""
    give_back_all([Claim(conversation_id, claim)], spent_usd)


def give_back_all(claims: Collection[Claim], spent_usd: Decimal = Decimal(0)) -> None:
    """The same for several, each of which has cost `spent_usd`."""
    ids, keys = [claim.conversation_id for claim in claims], [claim.id for claim in claims]
    Conversation.objects.filter(pk__in=ids, claim__in=keys, status=Status.GENERATING).update(
        status=Case(When(failure_type="", then=Value(Status.DRAFT)), default=Value(Status.FAILED)),
        cost_usd=F("cost_usd") + spent_usd,
        claim=None,
        claim_expires_at=None,
        updated_at=timezone.now(),
    )


def expire() -> int:
    """Fail the conversations whose claim ran out, because its holder died; how many there were."""
    expired = Conversation.objects.filter(status=Status.GENERATING, claim_expires_at__lt=Now())
    return expired.update(
        status=Status.FAILED,
        failure_type=Abandoned.code(),
        failure_message=str(Abandoned()),
        claim=None,
        claim_expires_at=None,
        updated_at=timezone.now(),
    )
