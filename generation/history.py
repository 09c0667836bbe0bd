"""What Claude's latest replies took, from the log: the one way in which forecasts and estimates know.

Only attempts that were asked for alike count: with the same model and effort, by the names that were sent, since a
reply may name its model otherwise. What simulated Claude wrote says nothing about the real one, nor the other way
round.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from statistics import fmean, stdev
from typing import Any
from uuid import UUID

from django.db import connection

from generation.answers import Usage
from generation.configuration import Configuration
from generation.endpoint import is_simulated, named_endpoint
from generation.models import LogStatus

RECENT = 50  # attempts that are looked at, of each template
RECENT_IN_WORKSPACE = 500  # of its tiers together, for templates that have none
ENOUGH = 5  # replies; fewer say too little about the next one
NINE_IN_TEN = 1.645  # standard deviations to either side, within which nine of ten values lie

# The columns by which attempts are told apart are read of the rows that were found alone: their JSON is large. Those in
# a message batch cache nothing, and their duration is no answer's. What is cached stays for five minutes after it was
# last used.
ATTEMPT = """
log.template_id, template.tier, log.run_id, log.model, log.request ->> 'model',
coalesce(log.request -> 'output_config' ->> 'effort', ''),
log.message_batch_id = '',
log.status, log.input_tokens, log.output_tokens, log.cache_read_tokens, log.cache_write_tokens, log.duration_ms,
log.created_at > now() - interval '5 minutes'
"""

# The latest rows of a template or a workspace, read backward from the end of its part of the index. By an equality and
# the date alone, PostgreSQL may walk through the dates of all rows in search of them; this order only that index has.
LATEST = """
SELECT * FROM generation_generationlog
WHERE ({column}, created_at) BETWEEN ({value}, '-infinity'::timestamptz) AND ({value}, 'infinity'::timestamptz)
ORDER BY {column} DESC, created_at DESC LIMIT %(recent)s
"""

OF_TEMPLATES = f"""
SELECT {ATTEMPT}
FROM unnest(%(templates)s::uuid[]) AS wanted (id)
JOIN conversations_prompttemplate AS template ON template.id = wanted.id AND template.workspace_id = %(workspace)s
CROSS JOIN LATERAL ({LATEST.format(column="template_id", value="wanted.id")}) AS log
ORDER BY log.created_at DESC
"""

OF_WORKSPACE = f"""
SELECT {ATTEMPT}
FROM ({LATEST.format(column="workspace_id", value="%(workspace)s::uuid")}) AS log
JOIN conversations_prompttemplate AS template ON template.id = log.template_id
ORDER BY log.created_at DESC
"""


@dataclass(frozen=True)
class Asked:
    """What attempts must have in common to tell about one another."""

    model: str
    effort: str = ""

    @classmethod
    def by(cls, configuration: Configuration) -> "Asked":
        return cls(configuration.model, configuration.effort)


@dataclass(frozen=True)
class Logged:
    """One attempt, as far as it tells what others will take."""

    template_id: UUID
    tier: str
    run_id: UUID
    asked: Asked
    simulated: bool
    live: bool
    status: str
    usage: Usage
    seconds: float
    cached_still: bool  # what it read from the prompt cache, or wrote to it, is there

    @property
    def succeeded(self) -> bool:
        return self.status == LogStatus.SUCCEEDED

    @property
    def paid(self) -> bool:
        return self.succeeded or self.usage != Usage()


@dataclass(frozen=True)
class Mean:
    """An average, and how far single values lie from it."""

    value: float
    deviation: float = 0.0  # the standard deviation of single values
    known: int = 1  # values that it is made of

    @classmethod
    def of(cls, values: Sequence[float]) -> "Mean":
        return cls(fmean(values), stdev(values) if len(values) > 1 else 0.0, len(values))

    def doubt(self, future: int) -> float:
        """How far the average of so many values to come may lie from this one, nine times in ten."""
        return NINE_IN_TEN * self.deviation * sqrt(1 / self.known + 1 / max(future, 1))


@dataclass(frozen=True)
class Experience:
    """What attempts of one kind took. Averages are over those that were paid for, and need one at least."""

    attempts: Sequence[Logged] = ()

    @cached_property
    def paid(self) -> list[Logged]:
        return [attempt for attempt in self.attempts if attempt.paid]

    @cached_property
    def replies(self) -> list[int]:
        """Output tokens of the replies that could be used."""
        return [attempt.usage.output for attempt in self.attempts if attempt.succeeded]

    @property
    def enough(self) -> bool:
        return len(self.replies) >= ENOUGH

    @property
    def paid_each(self) -> float:
        """Attempts that were paid for, for each conversation: those whose reply was of no use are among them."""
        return len(self.paid) / len(self._runs)

    @property
    def requests_each(self) -> float:
        """Attempts for each conversation, whether paid for or not."""
        return sum(attempt.run_id in self._runs for attempt in self.attempts) / len(self._runs)

    @property
    def output(self) -> Mean:
        """Tokens of a reply that was paid for."""
        return Mean.of([attempt.usage.output for attempt in self.paid])

    @property
    def prompt(self) -> Mean:
        """Input tokens of a request, cached or not."""
        return Mean.of([_prompt(attempt) for attempt in self.paid])

    @property
    def cached(self) -> float:
        """Those of them that a live request reads from the prompt cache or writes to it."""
        live = [attempt.usage for attempt in self.paid if attempt.live]
        return fmean(usage.cache_read + usage.cache_write for usage in live) if live else 0.0

    @property
    def cache_is_warm(self) -> bool:
        """Whether the next live request reads what is cached, and need not write it."""
        return any(attempt.live and attempt.cached_still for attempt in self.paid)

    @property
    def seconds(self) -> Mean | None:
        """From sending to the whole reply; None when no live request tells."""
        durations = [attempt.seconds for attempt in self.attempts if attempt.succeeded and attempt.live]
        return Mean.of(durations) if durations else None

    @cached_property
    def _runs(self) -> set[UUID]:
        """The conversations, each time that one was generated, of which an attempt was paid for."""
        return {attempt.run_id for attempt in self.paid}


def _prompt(attempt: Logged) -> int:
    return attempt.usage.input + attempt.usage.cache_read + attempt.usage.cache_write


@dataclass
class History:
    """The latest attempts in a workspace: those of the templates named, and of its tiers."""

    workspace_id: UUID
    template_ids: Collection[UUID]

    @cached_property
    def simulated(self) -> bool:
        """Whether simulated Claude answers; where the settings do not tell, its newest reply does."""
        answering = named_endpoint().simulated
        if answering is not None:
            return answering
        newest = next((attempt for attempt in (*self._of_templates, *self._of_workspace) if attempt.paid), None)
        return newest is not None and newest.simulated

    def of_template(self, template_id: UUID | None, asked: Asked) -> Experience:
        return self._alike((each for each in self._of_templates if each.template_id == template_id), asked)

    def of_tier(self, tier: str, asked: Asked) -> Experience:
        """Of all the workspace's templates of the tier."""
        return self._alike((each for each in self._of_workspace if each.tier == tier), asked)

    def _alike(self, attempts: Iterable[Logged], asked: Asked) -> Experience:
        return Experience([each for each in attempts if (each.asked, each.simulated) == (asked, self.simulated)])

    @cached_property
    def _of_templates(self) -> list[Logged]:
        return self._read(OF_TEMPLATES, recent=RECENT) if self.template_ids else []

    @cached_property
    def _of_workspace(self) -> list[Logged]:
        return self._read(OF_WORKSPACE, recent=RECENT_IN_WORKSPACE)

    def _read(self, statement: str, *, recent: int) -> list[Logged]:
        with connection.cursor() as cursor:
            templates: Any = list(self.template_ids)
            cursor.execute(statement, {"workspace": self.workspace_id, "templates": templates, "recent": recent})
            return [_logged(*row) for row in cursor.fetchall()]


def _logged(
    template_id: UUID, tier: str, run_id: UUID, model: str, sent: str, effort: str, live: bool, status: str, *rest: Any
) -> Logged:
    plain, output, cache_read, cache_write, milliseconds, cached_still = rest
    usage = Usage(plain, output, cache_read, cache_write)
    return Logged(
        template_id,
        tier,
        run_id,
        Asked(sent, effort),
        is_simulated(model),
        live,
        status,
        usage,
        milliseconds / 1000,
        cached_still,
    )
