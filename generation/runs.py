"""What one go at a conversation took, from the log: its requests to Claude, their tokens, cost and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from conversations.models import Conversation
from generation.models import GenerationLog, LogStatus
from generation.retries import MOST_ATTEMPTS


@dataclass(frozen=True)
class Run:
    """The requests of one run, the first one first; at least one. Tokens and USD are those of all of them."""

    requests: Sequence[GenerationLog]

    @property
    def run_id(self) -> UUID:
        return self.requests[0].run_id

    @property
    def attempts(self) -> int:
        return len(self.requests)

    @property
    def model(self) -> str:
        """As Claude named it in the last reply, or as it was asked for where none came."""
        return self.requests[-1].model

    @property
    def cost_usd(self) -> Decimal:
        return sum((each.cost_usd for each in self.requests), Decimal(0))

    @property
    def input_tokens(self) -> int:
        """Without those of the prompt cache."""
        return sum(each.input_tokens for each in self.requests)

    @property
    def output_tokens(self) -> int:
        return sum(each.output_tokens for each in self.requests)

    @property
    def cache_read_tokens(self) -> int:
        return sum(each.cache_read_tokens for each in self.requests)

    @property
    def cache_write_tokens(self) -> int:
        return sum(each.cache_write_tokens for each in self.requests)

    @property
    def duration_seconds(self) -> float:
        """From sending the first request to the end of the last, waits between them included."""
        first, last = self.requests[0], self.requests[-1]
        begun = first.created_at - timedelta(milliseconds=first.duration_ms)
        return max(0.0, round((last.created_at - begun).total_seconds(), 3))


def latest_run(conversation: Conversation) -> Run | None:
    """The last go at a conversation; None where the log has none (any more)."""
    logged = GenerationLog.objects.filter(conversation=conversation).exclude(status=LogStatus.DISCARDED)
    return _run(list(logged.order_by("-created_at").defer("request", "response")[:MOST_ATTEMPTS]))


def run_of(run_id: UUID) -> Run | None:
    """The run with this id; None where the log does not have it (any more)."""
    logged = GenerationLog.objects.filter(run_id=run_id)
    return _run(list(logged.order_by("-created_at").defer("request", "response")))


def _run(newest_first: list[GenerationLog]) -> Run | None:
    mine = [attempt for attempt in newest_first if attempt.run_id == newest_first[0].run_id]
    return Run(mine[::-1]) if mine else None
