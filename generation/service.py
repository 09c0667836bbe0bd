"""`generate`: one draft becomes one conversation.

Claim, resolve the prompt, wait for the limit, call Claude and retry, read and check the reply, score, save. No
transaction is held while waiting for Claude.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError

from conversations.models import Conversation
from convgen.database.threads import DatabaseThreads
from generation import claims, logs, saving
from generation.attempts import FIRST_WAIT, Attempts, Success
from generation.claude import Claude
from generation.drafts import Drafts
from generation.endpoint import Endpoint, endpoint
from generation.errors import GenerationError, NotClaimable, ProgramFailed
from generation.limits import Grant, RequestLimit, Sleep
from generation.priority import Priority
from generation.request import Descriptions, build_request, descriptions
from generation.saving import NOBODY, Orderer

logger = logging.getLogger(__name__)


class Interrupted(Exception):
    """Raised by a `sleep` that was told to stop: the draft is to be given back, not failed."""

    requests = 0  # sent before, in vain
    spent_usd = Decimal(0)  # by them


@dataclass(frozen=True)
class Outcome:
    """How one draft ended. `saved` is False when somebody else had taken the claim over: nothing was changed."""

    saved: bool
    error: GenerationError | None = None
    spent_usd: Decimal = Decimal(0)


@dataclass
class Generator:
    """Generates claimed drafts, as many at a time as asked, on one event loop."""

    claude: Claude
    database: DatabaseThreads
    limit: RequestLimit
    model: str
    described: Descriptions
    max_attempts: int
    sleep: Sleep = asyncio.sleep
    shared: Mapping[str, object] = field(default_factory=dict)  # the batch's parameters
    first_wait: float = FIRST_WAIT  # seconds before the second attempt

    async def generate(
        self,
        draft: Conversation,
        claim: UUID,
        *,
        parameters: Mapping[str, object] | None = None,
        permit: Callable[[], Awaitable[Grant]] | None = None,
        orderer: Orderer = NOBODY,
    ) -> Outcome:
        """Bring a claimed draft to its end, and say how it ended.

        `orderer` adds its own writes to the transaction that ends it. Raises `Interrupted` when `sleep` did; the claim
        is then still held.
        """
        attempts = Attempts(
            claude=self.claude,
            permit=permit or partial(self.limit.permit, self.sleep),
            log=lambda attempt: self.database(logs.write, draft, claim, attempt),
            most=self.max_attempts,
            sleep=self.sleep,
            first_wait=self.first_wait,
        )
        success = None
        try:
            success = await self._make(draft, attempts, parameters)
            saved = await self.database(saving.save, draft, claim, success, orderer=orderer)
            return Outcome(saved, spent_usd=attempts.spent_usd)
        except Interrupted as interrupted:
            interrupted.requests, interrupted.spent_usd = attempts.requests, attempts.spent_usd
            raise
        except (OperationalError, InterfaceError):
            raise
        except GenerationError as error:
            problem = error
        except Exception:
            logger.exception("Generating %s failed", draft)
            problem = ProgramFailed()
            if success:  # paid for, though it cannot be saved
                await self.database(logs.write, draft, claim, replace(success.attempt, error=problem))
        spent = attempts.spent_usd
        failed = await self.database(saving.fail, draft, claim, problem, spent_usd=spent, orderer=orderer)
        return Outcome(failed, problem, spent)

    async def _make(self, draft: Conversation, attempts: Attempts, parameters: Mapping[str, object] | None) -> Success:
        request = build_request(
            draft,
            model=self.model,
            max_tokens=settings.ANTHROPIC_MAX_TOKENS,
            described=self.described,
            parameters=parameters,
            shared=self.shared,
        )
        return await attempts.make(request)


def generate(conversation_id: UUID, *, parameters: Mapping[str, object] | None = None) -> Conversation:
    """Generate one draft or failed conversation of the scope, and return it as it is afterwards.

    `parameters` are values for this run alone. Raises `NotClaimable` when it is neither draft nor failed, and the
    `GenerationError` for which generation failed; the conversation then carries the same reason.
    """
    target = endpoint()
    outcome = asyncio.run(_generate(conversation_id, target, parameters))
    if outcome.error:
        raise outcome.error
    if not outcome.saved:
        raise NotClaimable("Somebody else took the conversation over while Claude wrote it. Look at it again.")
    return Conversation.objects.get(pk=conversation_id)


async def _generate(conversation_id: UUID, target: Endpoint, parameters: Mapping[str, object] | None) -> Outcome:
    attempts = settings.GENERATION_ATTEMPTS
    claude = Claude(target, timeout=settings.ANTHROPIC_TIMEOUT)
    async with DatabaseThreads(threads=1) as database, claude:
        claim = await database(claims.take_one, conversation_id, attempts=attempts, claim=uuid4())
        draft = (await database(Drafts().load, [conversation_id]))[conversation_id]
        generator = Generator(
            claude=claude,
            database=database,
            # Somebody waits for this one: a single request before the batches'.
            limit=RequestLimit(
                target, database, who=draft.conversation_id, workspace=draft.workspace_id, priority=Priority.HIGH
            ),
            model=settings.ANTHROPIC_MODEL,
            described=await database(descriptions, draft.workspace_id),
            max_attempts=attempts,
            first_wait=settings.GENERATION_FIRST_WAIT,
        )
        return await generator.generate(draft, claim, parameters=parameters)
