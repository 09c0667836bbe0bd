"""`generate`: one draft becomes one conversation.

Claim, resolve the prompt, wait for the limit, call Claude and retry, read and check the reply, score, save. No
transaction is held while waiting for Claude.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.transaction import TransactionManagementError

from conversations.models import Conversation, Workspace
from conversations.models.configuration import Configured
from convgen.database.threads import DatabaseThreads, let_go_of_connections
from generation import claims, logs, saving
from generation.attempts import Attempts, Success
from generation.claude import Claude
from generation.configuration import Overrides, configuration_of
from generation.drafts import Drafts
from generation.endpoint import Endpoint, endpoint
from generation.errors import GenerationError, NotClaimable, ProgramFailed
from generation.limits import Grant, RequestLimit, Sleep
from generation.priority import Priority
from generation.request import Descriptions, build_request, descriptions
from generation.retries import RetryPolicy
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
    workspace: Workspace
    described: Descriptions
    policy: RetryPolicy
    overrides: Configured | Overrides | None = None  # what the run sets, before the template
    sleep: Sleep = asyncio.sleep
    shared: Mapping[str, object] = field(default_factory=dict)  # the batch's parameters

    async def generate(
        self,
        draft: Conversation,
        claim: UUID,
        *,
        parameters: Mapping[str, object] | None = None,
        permit: Callable[[], Awaitable[Grant]] | None = None,
        orderer: Orderer = NOBODY,
        answered: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Bring a claimed draft to its end, and say how it ended.

        `orderer` adds its own writes to the transaction that ends it. `answered` is called when Claude has written it,
        before it is saved. Raises `Interrupted` when `sleep` did; the claim is then still held.
        """
        attempts = Attempts(
            claude=self.claude,
            permit=permit or partial(self.limit.permit, self.sleep),
            log=lambda attempt: self.database(logs.write, draft, claim, attempt),
            check_claim=partial(self._check_claim, draft, claim),
            policy=self.policy,
            sleep=self.sleep,
        )
        success = None
        try:
            success = await self._make(draft, attempts, parameters)
            answered()
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
            configuration=configuration_of([self.overrides, draft.template, self.workspace]),
            described=self.described,
            parameters=parameters,
            shared=self.shared,
        )
        return await attempts.make(request)

    async def _check_claim(self, draft: Conversation, claim: UUID) -> None:
        """Renew the claim; raise `NotClaimable` when somebody else has taken it over."""
        if not await self.database(claims.renew, [claims.Claim(draft.pk, claim)]):
            raise NotClaimable("Somebody else took the conversation over while it waited.")


def default_policy() -> RetryPolicy:
    """How the settings say to try."""
    return RetryPolicy(
        attempts=settings.GENERATION_ATTEMPTS,
        strategy=settings.GENERATION_RETRY_STRATEGY,
        first_wait=settings.GENERATION_FIRST_WAIT,
    )


def generate(
    conversation_id: UUID,
    *,
    parameters: Mapping[str, object] | None = None,
    overrides: Overrides | None = None,
    claim: UUID | None = None,
) -> Conversation:
    """Generate one draft or failed conversation of the scope, and return it as it is afterwards.

    `parameters` are values for this run alone, and so are `overrides` of how Claude is asked. `claim` is one that
    the caller has taken already. Raises `NotClaimable` when it is neither draft nor failed, and the `GenerationError`
    for which generation failed; the conversation then carries the same reason, unless somebody else took it over.
    """
    if connection.in_atomic_block:
        raise TransactionManagementError("Generate outside of a transaction: it would be held while Claude writes.")
    target = endpoint()
    let_go_of_connections()
    outcome = asyncio.run(_generate(conversation_id, target, claim or uuid4(), parameters, overrides))
    if outcome.error:
        raise outcome.error
    if not outcome.saved:
        raise NotClaimable("Somebody else took the conversation over while Claude wrote it. Look at it again.")
    return Conversation.objects.get(pk=conversation_id)


def generate_claimed(conversation_id: UUID, claim: UUID, *, overrides: Overrides | None = None) -> Conversation:
    """The same for one that the caller has claimed, in the transaction that prepared it.

    The claim is given back when generation could not even begin, and the conversation is what it was before.
    """
    try:
        return generate(conversation_id, overrides=overrides, claim=claim)
    except BaseException:
        claims.give_back(conversation_id, claim, Decimal(0))
        raise


async def _generate(
    conversation_id: UUID,
    target: Endpoint,
    claim: UUID,
    parameters: Mapping[str, object] | None,
    overrides: Overrides | None,
) -> Outcome:
    claude = Claude(target, timeout=settings.ANTHROPIC_TIMEOUT)
    async with (
        DatabaseThreads(threads=1, keep=False) as database,
        claude,
        _claimed(database, claims.Claim(conversation_id, claim)),
    ):
        draft = (await database(Drafts().load, [conversation_id]))[conversation_id]
        generator = Generator(
            claude=claude,
            database=database,
            # Somebody waits for this one: a single request before the batches'.
            limit=RequestLimit(
                target, database, who=draft.conversation_id, workspace=draft.workspace_id, priority=Priority.HIGH
            ),
            workspace=await database(Workspace.objects.get, pk=draft.workspace_id),
            described=await database(descriptions, draft.workspace_id),
            policy=default_policy(),
            overrides=overrides,
        )
        return await generator.generate(draft, claim, parameters=parameters)


@asynccontextmanager
async def _claimed(database: DatabaseThreads, claim: claims.Claim) -> AsyncIterator[None]:
    """Take the claim, and keep it as long as the block runs, however long it waits.

    When the block is broken off (Ctrl-C), the claim is given back, and what was spent by then is booked.
    """
    await database(claims.take_one, claim.conversation_id, claim=claim.id)
    try:
        async with _renewing(database, claim):
            yield
    except BaseException:
        with suppress(OperationalError, InterfaceError):  # then it ends by itself
            spent = await database(logs.spent, claim.id)
            await database(claims.give_back, claim.conversation_id, claim.id, spent)
        raise


@asynccontextmanager
async def _renewing(database: DatabaseThreads, claim: claims.Claim) -> AsyncIterator[None]:

    async def keep() -> None:
        while True:
            await asyncio.sleep(claims.RENEW_SECONDS)
            with suppress(OperationalError, InterfaceError):  # the next try may come in time
                await database(claims.renew, [claim])

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        task.cancel()
