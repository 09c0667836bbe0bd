"""Message batches: what is in them, how far they are, and what became of each request.

Source: the SDK's `types/messages/` and `resources/messages/batches.py`, and Anthropic's page on batch processing.
Nothing runs in the background: what a batch is follows from the clock whenever somebody asks.
"""

import hashlib
import random
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generation.simulated.cache import CacheUse
from generation.simulated.clock import Clock, rfc3339
from generation.simulated.faults import Fault
from generation.simulated.refusal import Refusal, invalid, not_found
from generation.simulated.replies import reply

DAY = 86_400.0  # seconds
EXPIRES = DAY  # after its creation
ARCHIVED = 29 * DAY  # after its creation: then the results are gone
CANCELING = 0.1  # a cancellation takes this share of the time that the batch would have taken
KINDS = ("processing", "succeeded", "errored", "canceled", "expired")
RESULTS = "/v1/messages/batches/{id}/results"


@dataclass(frozen=True)
class Item:
    """One request of a batch. What could be known when the batch was created is."""

    custom_id: str
    params: dict[str, Any]
    ends: str = ""  # "canceled" or "expired" when it was scripted so
    error: Refusal | None = None
    fault: Fault | None = None  # that spoils the reply
    time: int = 1  # how often its prompt was asked
    input_tokens: int = 0
    use: CacheUse | None = None


@dataclass
class Batch:
    """Moments are in seconds, as the clock's `now()` tells them. `items` are in the order in which they are done."""

    id: str
    items: list[Item]
    created: float
    seconds: float
    weak: float
    canceled: float | None = None

    @property
    def ends(self) -> float:
        usual = self.created + min(self.seconds, EXPIRES)
        return usual if self.canceled is None else min(usual, self.canceled + self.seconds * CANCELING)

    def status(self, now: float) -> str:
        if now > self.ends:
            return "ended"
        return "in_progress" if self.canceled is None else "canceling"

    def archived(self, now: float) -> bool:
        return now > self.created + ARCHIVED

    def counts(self, now: float) -> dict[str, int]:
        """How many requests are in which state: all are processing until all have ended."""
        found = self._final if self.status(now) == "ended" else Counter({"processing": len(self.items)})
        return {kind: found[kind] for kind in KINDS}

    @cached_property
    def _final(self) -> Counter[str]:
        return Counter(self._kind(number, item) for number, item in enumerate(self.items))

    def _kind(self, number: int, item: Item) -> str:
        done = self.created + self.seconds * (number + 1) / len(self.items)
        if item.ends == "expired" or done > self.created + EXPIRES:
            return "expired"
        if item.ends == "canceled" or (self.canceled is not None and done > self.canceled):
            return "canceled"
        return "errored" if item.error else "succeeded"

    def results(self) -> Iterator[dict[str, Any]]:
        """The results of an ended batch, the same ones each time, in another order than the requests."""
        for number, item in enumerate(self.items):
            yield {"custom_id": item.custom_id, "result": self._result(self._kind(number, item), item)}

    def _result(self, kind: str, item: Item) -> dict[str, Any]:
        if kind == "errored" and item.error:
            return {"type": kind, "error": item.error.body(f"req_simulated_{self._digest(item)}")}
        if kind != "succeeded" or item.use is None:
            return {"type": kind}
        message = reply(item.params, time=item.time, weak=self.weak, use=item.use, input_tokens=item.input_tokens)
        message["id"] = f"msg_simulated_{self._digest(item)}"
        message["usage"]["service_tier"] = "batch"
        return {"type": kind, "message": item.fault.shaped(message) if item.fault else message}

    def _digest(self, item: Item) -> str:
        return hashlib.sha256(f"{self.id}|{item.custom_id}".encode()).hexdigest()[:16]


class Batches:
    """All batches of a server. They are kept in memory, for as long as it runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._batches: OrderedDict[str, Batch] = OrderedDict()  # oldest first

    def add(self, batch: Batch) -> None:
        random.Random(batch.id).shuffle(batch.items)
        self._batches[batch.id] = batch

    def get(self, batch_id: str) -> Batch:
        """Raises `Refusal` when there is none."""
        if batch_id not in self._batches:
            raise not_found(f"Message Batch {batch_id} was not found.")
        return self._batches[batch_id]

    def all(self) -> list[Batch]:
        """Newest first."""
        return list(reversed(self._batches.values()))

    def cancel(self, batch_id: str) -> Batch:
        """Begin to cancel it; once more changes nothing. Raises `Refusal` when it has ended."""
        batch, now = self.get(batch_id), self._clock.now()
        if batch.status(now) == "ended":
            raise invalid(f"Message Batch {batch_id} has ended already and cannot be canceled.")
        if batch.canceled is None:
            batch.canceled = now
        return batch

    def delete(self, batch_id: str) -> None:
        """Raises `Refusal` while it has not ended."""
        if self.get(batch_id).status(self._clock.now()) != "ended":
            raise invalid(f"Message Batch {batch_id} is still being processed. Cancel it, or wait until it has ended.")
        del self._batches[batch_id]

    def results(self, batch_id: str) -> Iterator[dict[str, Any]]:
        """Raises `Refusal` while it has not ended, and when its results are gone."""
        batch, now = self.get(batch_id), self._clock.now()
        if batch.status(now) != "ended":
            raise not_found(f"Message Batch {batch_id} has not ended: its results are not yet available.")
        if batch.archived(now):
            raise not_found(f"The results of Message Batch {batch_id} are no longer available.")
        return batch.results()

    def shown(self, batch: Batch, base_url: str, *, at: float | None = None) -> dict[str, Any]:
        """A batch as the API shows it, at a moment or now. `base_url` is where the server was asked."""
        now = self._clock.now() if at is None else at
        ended, archived = batch.status(now) == "ended", batch.archived(now)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": batch.status(now),
            "request_counts": batch.counts(now),
            "created_at": self._date(batch.created),
            "expires_at": self._date(batch.created + EXPIRES),
            "ended_at": self._date(batch.ends) if ended else None,
            "cancel_initiated_at": self._date(batch.canceled),
            "archived_at": self._date(batch.created + ARCHIVED) if archived else None,
            "results_url": base_url + RESULTS.format(id=batch.id) if ended and not archived else None,
        }

    def _date(self, moment: float | None) -> str | None:
        return None if moment is None else rfc3339(self._clock.date(moment))
