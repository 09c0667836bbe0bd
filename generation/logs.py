"""The generation log: one row per request to Claude."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model, Subquery, Sum

from conversations.models import Conversation, PromptTemplate
from generation.answers import Usage
from generation.attempts import Attempt
from generation.models import GenerationLog, LogStatus


def write(draft: Conversation, run_id: UUID, attempt: Attempt, *, discarded: bool = False) -> None:
    """Add the attempt's row; `discarded` for a good reply that came after somebody else had saved.

    Conversation and template may have been deleted while Claude wrote: what it cost is logged all the same.
    """
    conversation_id, template_id = _if_there(Conversation, draft.pk), _if_there(PromptTemplate, draft.template_id)
    _create(draft, run_id, attempt, conversation_id, template_id, discarded=discarded)


def write_success(draft: Conversation, run_id: UUID, attempt: Attempt, *, template_id: UUID | None) -> None:
    """Add the row of an attempt whose conversation and template are locked, and so are certainly there."""
    _create(draft, run_id, attempt, draft.pk, template_id, discarded=False)


def succeeded(run_id: UUID) -> bool:
    """Whether the run has a successful attempt."""
    return GenerationLog.objects.filter(run_id=run_id, status=LogStatus.SUCCEEDED).exists()


def spent(run_id: UUID) -> Decimal:
    """What the run's attempts have cost so far, in USD."""
    logged: Decimal | None = GenerationLog.objects.filter(run_id=run_id).aggregate(usd=Sum("cost_usd"))["usd"]
    return logged or Decimal(0)


def _create(
    draft: Conversation, run_id: UUID, attempt: Attempt, conversation_id: Any, template_id: Any, *, discarded: bool
) -> None:
    answer, error = attempt.answer, attempt.error
    usage = answer.usage if answer else Usage()
    GenerationLog.objects.create(
        workspace_id=draft.workspace_id,
        run_id=run_id,
        conversation_id=conversation_id,
        template_id=template_id,
        attempt=attempt.number,
        model=answer.model if answer else attempt.request["model"],
        request=attempt.request,
        response=answer.body if answer else None,
        status=LogStatus.FAILED if error else LogStatus.DISCARDED if discarded else LogStatus.SUCCEEDED,
        input_tokens=usage.input,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        cost_usd=attempt.cost.usd,
        cache_saving_usd=attempt.cost.cache_saving_usd,
        price_assumed=attempt.cost.assumed,
        duration_ms=round(attempt.duration * 1000),
        error_type=error.code() if error else "",
        error_message=str(error) if error else "",
        request_id=answer.request_id if answer else error.request_id if error else "",
        message_batch_id=attempt.message_batch_id,
    )


def _if_there(model: type[Model], key: UUID | None) -> Any:
    """The row's key, or null when there is no such row; an expression for `create`, whose type stubs know none."""
    return Subquery(model._default_manager.filter(pk=key).values("pk"))
