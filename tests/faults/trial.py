"""One fault at one moment of one batch, and what became of it."""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from batches.choices import JobStatus
from batches.models import BatchItem, BatchJob
from batches.planning import Order, create
from conversations.models import Workspace
from tests.factories import ConversationFactory, PromptTemplateFactory
from tests.faults.books import assert_balanced
from tests.faults.stage import LATENCY, Stage
from tests.processes import eventually

ITEMS = 36  # so many that a slow machine, too, finds who runs it before it has ended
IN_FLIGHT = 4
UNSAVED = 1  # a reply more may wait to be saved
DURATION = ITEMS / IN_FLIGHT * LATENCY  # seconds, if nothing happened

SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)


@dataclass
class Report:
    scenario: str
    moment: str = ""
    items: int = 0
    requests: int = 0
    in_flight: int = 0  # at the blow: asked for at the server, and not saved
    twice: int = 0  # calls that were paid again
    silence: float = 0.0  # seconds, the longest without a call since the blow
    verdict: str = "failed"


REPORTS: list[Report] = []


class Trial:
    """A batch, or several, that is struck once. `finish` tells whether all is as it must be."""

    def __init__(self, stage: Stage, scenario: str, number: int, *, batches: int = 1) -> None:
        stage.set()
        self.stage = stage
        self.random = random.Random(f"{SEED} {scenario} {number}")
        self.report = Report(scenario)
        REPORTS.append(self.report)
        self.before = stage.claude.arrivals.total
        self.jobs = [_batch() for _ in range(batches)]
        self.job = self.jobs[0]
        self.report.items = batches * ITEMS
        self.struck_at = 0.0

    @property
    def asked(self) -> int:
        """Requests of this trial, so far."""
        return self.stage.claude.arrivals.total - self.before

    @property
    def saved(self) -> int:
        return BatchItem.objects.filter(job__in=self.jobs, status="completed").count()

    def wait_for_a_moment(self) -> None:
        """Some time between the first call and the last ones."""
        eventually(lambda: self.asked, seconds=20)
        seconds = self.random.uniform(0, 0.6 * DURATION)
        self.report.moment = f"{seconds:.2f} s"
        time.sleep(seconds)

    def wait_for_an_answer(self) -> None:
        """Until the server has answered some call, and not a millisecond longer."""
        wanted = self.random.randint(2, ITEMS - IN_FLIGHT)
        self.report.moment = f"answer {wanted}"
        arrivals, deadline = self.stage.claude.arrivals, time.monotonic() + 20
        while sum(one.status == 200 for one in arrivals[self.before :]) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.0005)

    def strike(self, blow: Callable[[], object]) -> None:
        """Let it happen, and count what was in flight."""
        self.struck_at = time.monotonic()
        blow()
        self.stage.settle_arrivals()
        self.report.in_flight = self.asked - self.saved
        self.stage.replace_the_dead()

    def finish(self, *, twice_at_most: int | None = None) -> None:
        """Wait for the batch's end. By default no more calls are paid twice than were in flight."""
        wanted = {JobStatus.COMPLETED}
        eventually(lambda: {BatchJob.objects.get(pk=job.pk).status for job in self.jobs} == wanted, seconds=60)
        self.stage.settle_arrivals()
        self._count()
        for job in self.jobs:
            assert_balanced(job)
        assert self.saved == self.report.items
        allowed = self.report.in_flight if twice_at_most is None else twice_at_most
        assert 0 <= self.report.twice <= allowed
        self.report.verdict = "whole"

    def _count(self) -> None:
        self.report.requests = self.asked
        self.report.twice = self.asked - self.report.items
        later = [one.moment for one in self.stage.claude.arrivals if one.moment > self.struck_at]
        moments = [self.struck_at, *later]
        self.report.silence = max((after - before for before, after in pairwise(moments)), default=0.0)


def _batch() -> BatchJob:
    """A batch in a workspace of its own, begun by whoever is there."""
    slug = f"w{Workspace.objects.count() + 1}"
    workspace = Workspace.objects.create(name=slug, slug=slug)
    template = PromptTemplateFactory(workspace=workspace)
    ConversationFactory.create_batch(ITEMS, workspace=workspace, template=template)
    job = create(Order(workspace, selection="drafts", concurrency=IN_FLIGHT))
    assert job is not None
    return job
