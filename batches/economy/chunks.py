"""How claimed items become the requests of message batches, and how many go into one."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from batches.economy.holding import Prepared
from batches.leases import Work
from batches.models import BatchJob
from conversations.models import Workspace
from generation.claude import takes_sampling
from generation.configuration import configuration_of
from generation.request import Descriptions, build_request

# Anthropic takes 256 MB (docs: Batch processing, “Batch limitations”). What is sent must arrive within
# ANTHROPIC_TIMEOUT, over a slow line too: this is 1.7 Mbit/s for 150 s.
LARGEST = 32 * 1024 * 1024  # bytes
ENVELOPE = 80  # bytes around a request: its custom_id, the names of its members


def prepare(work: Work, job: BatchJob, workspace: Workspace, described: Descriptions) -> Prepared:
    """The request of a claimed item, as it would be live, but not cached: the requests of a message batch are written
    side by side, and would pay for writing to the cache what none of them reads.

    Raises `PromptUnresolved` and `ConfigurationInvalid`.
    """
    request = build_request(
        work.draft,
        configuration=configuration_of([job, work.draft.template, workspace]),
        described=described,
        shared=job.shared_parameters,
        cached=False,
    )
    return Prepared(work, request, len(json.dumps(request, ensure_ascii=False).encode()) + ENVELOPE)


@dataclass
class Waiting:
    """Prepared items in the order of their message batches to be. Those whose model is asked under the API's older
    version wait apart: a message batch is one request, with one version.
    """

    most: int  # items of one message batch
    largest: int = LARGEST  # bytes of one
    _queues: dict[bool, deque[Prepared]] = field(default_factory=lambda: {False: deque(), True: deque()})

    def add(self, prepared: Sequence[Prepared]) -> None:
        for one in prepared:
            self._queues[takes_sampling(one.request)].append(one)

    @property
    def works(self) -> list[Work]:
        return [one.work for queue in self._queues.values() for one in queue]

    @property
    def missing(self) -> int:
        """How many items would fill up the next message batch; 0 when it is full."""
        return 0 if any(map(self._full, self._queues.values())) else self.most - max(map(len, self._queues.values()))

    def take(self) -> list[Prepared]:
        """The next message batch; nothing when nothing waits. One request goes, however large it is."""
        queue = max(self._queues.values(), key=lambda queue: (self._full(queue), len(queue)))
        taken: list[Prepared] = []
        size = 0
        while queue and len(taken) < self.most and (not taken or size + queue[0].size <= self.largest):
            size += queue[0].size
            taken.append(queue.popleft())
        return taken

    def halve(self, refused: int) -> None:
        """Make them smaller than one that was too large."""
        self.most = max(1, refused // 2)

    def _full(self, queue: "deque[Prepared]") -> bool:
        return len(queue) >= self.most or sum(one.size for one in queue) >= self.largest
