"""How a conversation's generation ends in the database: with all of it, or with a reason; never with a half."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from conversations import scoring, turns, versions
from conversations.choices import Status
from conversations.models import Conversation, PromptTemplate, Turn
from conversations.scoring import Scored
from generation import logs
from generation.attempts import Success
from generation.endpoint import is_simulated
from generation.errors import GenerationError

ZERO = Decimal(0)


class Orderer:
    """Whoever ordered the conversation, with writes of its own for the transaction that ends it.

    All lock rows in one order, the contended ones last: `holds`, the conversation (with its chain, when it is a new
    version) and what belongs to it, `end`.
    """

    def holds(self) -> bool:
        """Lock what was ordered, first of all; False when it was lost to somebody else."""
        return True

    def end(self, error: GenerationError | None, spent_usd: Decimal) -> None:
        """Write that it has ended, last of all."""


NOBODY = Orderer()


def save(draft: Conversation, claim: UUID, success: Success, *, orderer: Orderer = NOBODY) -> bool:
    """Save turns, score, status, cost and log together. False when the claim was lost: then only the log is kept.

    `draft` must have its template and chunk loaded.
    """
    with transaction.atomic():
        scored = scoring.score(draft, success.reply.turns)  # which asks for near duplicates; nothing is locked yet
        if orderer.holds() and _make_way(draft, claim) and _update(draft, claim, success, scored):
            _write_rest(draft, claim, success, scored)
            orderer.end(None, success.spent_usd)
            return True
    if logs.succeeded(claim):
        return True  # we have saved it before, but the database's answer was lost
    logs.write(draft, claim, success.attempt, discarded=True)
    return False


def _make_way(draft: Conversation, claim: UUID) -> bool:
    """Archive what a new version replaces. False when the claim was lost: then nothing is changed."""
    if draft.version == 1:
        return True
    versions.lock(draft)
    held = _held(draft, claim).exists()
    if held:
        versions.supersede(draft)
    return held


def _write_rest(draft: Conversation, claim: UUID, success: Success, scored: Scored) -> None:
    if draft.turn_count:
        Turn.objects.filter(conversation_id=draft.pk).delete()
    said = success.reply.turns
    characters = sum(len(turn.content) for turn in said) or 1
    turns.add(draft, said, tokens=success.answer.usage.output / characters)  # shared out by length
    scoring.remember(draft, scored)
    logs.write_success(draft, claim, success.attempt, template_id=_count_use(draft.template_id))


def _count_use(template_id: UUID | None) -> UUID | None:
    """Count that the template was used; its id, or None when it was deleted while Claude wrote."""
    if template_id and PromptTemplate.objects.filter(pk=template_id).update(usage_count=F("usage_count") + 1):
        return template_id
    return None


def fail(
    draft: Conversation,
    claim: UUID,
    error: GenerationError,
    *,
    spent_usd: Decimal = ZERO,
    orderer: Orderer = NOBODY,
) -> bool:
    """Leave the conversation `failed` with a typed reason. False when the claim was lost: nothing is changed.

    `spent_usd` is what the attempts cost all the same, when replies came that could not be used.
    """
    with transaction.atomic():
        failed = orderer.holds() and _held(draft, claim).update(
            status=Status.FAILED,
            failure_type=error.code(),
            failure_message=str(error),
            cost_usd=F("cost_usd") + spent_usd,
            claim=None,
            claim_expires_at=None,
            updated_at=timezone.now(),
        )
        if failed:
            orderer.end(error, spent_usd)
    return bool(failed)


def _held(draft: Conversation, claim: UUID) -> QuerySet[Conversation]:
    return Conversation.objects.filter(id=draft.id, claim=claim, status=Status.GENERATING)


def _update(draft: Conversation, claim: UUID, success: Success, scored: Scored) -> bool:
    answer = success.answer
    return bool(
        _held(draft, claim).update(
            title=success.reply.title[:300],
            status=Status.PENDING_REVIEW if scored.report.needs_review else Status.GENERATED,
            failure_type="",
            failure_message="",
            **scored.columns,
            input_tokens=answer.usage.input + answer.usage.cache_read + answer.usage.cache_write,
            output_tokens=answer.usage.output,
            # All that was paid for it, earlier failures included.
            cost_usd=F("cost_usd") + success.spent_usd,
            model=answer.model,
            simulated=is_simulated(answer.model),
            template_version=draft.template.version if draft.template else None,
            claim=None,
            claim_expires_at=None,
            updated_at=timezone.now(),
        )
    )
