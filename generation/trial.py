"""A test run of a template: one conversation through Claude, scored, held against what the template made before.

Nothing of it is kept but the log of what it cost: no conversation, no number, no place of the plan.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.db.models import Avg, Count
from django.db.transaction import TransactionManagementError

from conversations import scoring
from conversations.choices import WITH_TURNS, Status
from conversations.models import Conversation, PromptTemplate
from conversations.ordering import draft_of
from conversations.quality import Report
from convgen.database.threads import DatabaseThreads, let_go_of_connections
from generation import logs
from generation.attempts import Attempts, Success
from generation.claude import Claude
from generation.configuration import Overrides
from generation.endpoint import Endpoint, endpoint, is_simulated
from generation.limits import RequestLimit
from generation.preview import prepared
from generation.priority import Priority
from generation.reply import Reply
from generation.service import default_policy

BASELINE = 500  # conversations of the template, the newest, that a baseline is made of


@dataclass(frozen=True)
class Baseline:
    """What the template's written conversations score: the average, 0.0 to 10.0; None while there is none."""

    score: Decimal | None
    conversations: int


@dataclass(frozen=True)
class Trial:
    """What a test run gave. The attempts at it are in the log, by `run_id`."""

    run_id: UUID
    reply: Reply
    report: Report
    model: str
    baseline: Baseline

    @property
    def simulated(self) -> bool:
        return is_simulated(self.model)

    @property
    def difference(self) -> Decimal | None:
        """How much better than the baseline it is; below zero: worse."""
        return None if self.baseline.score is None else self.report.score - self.baseline.score


def try_out(
    template: PromptTemplate,
    words: Mapping[str, str],
    *,
    parameters: Mapping[str, Any] | None = None,
    overrides: Overrides | None = None,
) -> Trial:
    """Have Claude write one conversation of the template. It costs what a conversation costs.

    Raises `OrderError`, and the `GenerationError` that kept it from being written.
    """
    if connection.in_atomic_block:
        raise TransactionManagementError("Try out outside of a transaction: it would be held while Claude writes.")
    draft = draft_of(template, words, parameters=parameters)
    _configuration, request = prepared(draft, overrides=overrides)
    target, run_id = endpoint(), uuid4()
    let_go_of_connections()
    success = asyncio.run(_write(draft, run_id, request, target))
    logs.write(draft, run_id, success.attempt)
    report = scoring.score(draft, success.reply.turns).report
    model = success.answer.model
    return Trial(run_id, success.reply, report, model, baseline_of(template, simulated=is_simulated(model)))


async def _write(draft: Conversation, run_id: UUID, request: dict[str, Any], target: Endpoint) -> Success:
    who = f"Test run of {draft.template}"[:250]
    async with (
        DatabaseThreads(threads=1, keep=False) as database,
        Claude(target, timeout=settings.ANTHROPIC_TIMEOUT) as claude,
    ):
        limit = RequestLimit(target, database, who=who, workspace=draft.workspace_id, priority=Priority.HIGH)
        attempts = Attempts(
            claude=claude,
            permit=limit.permit,
            log=lambda attempt: database(logs.write, draft, run_id, attempt),
            check_claim=_nothing_to_lose,
            policy=default_policy(),
        )
        return await attempts.make(request)


async def _nothing_to_lose() -> None:
    """There is no conversation that somebody else could take over."""


def baseline_of(template: PromptTemplate, *, simulated: bool) -> Baseline:
    """What the template's newest written conversations score, those of simulated Claude or the others."""
    written = Conversation.objects.filter(
        workspace=template.workspace_id, template=template, simulated=simulated, quality_score__isnull=False
    ).filter(status__in=(*WITH_TURNS, Status.REJECTED))
    newest = written.order_by("-created_at", "-id").values("quality_score")[:BASELINE]
    found = newest.aggregate(score=Avg("quality_score"), conversations=Count("quality_score"))
    score = found["score"]
    return Baseline(None if score is None else round(score, 1), found["conversations"])
