"""Every request that reached the server, failed and refused ones included: to be counted, and timed.

Times are taken at the server as a request comes in, before its body is read.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, overload

KEPT = 10_000  # unless all are to be remembered


@dataclass
class Arrival:
    number: int  # from 1
    endpoint: str  # as in `script.ENDPOINTS`; empty for a path that there is not
    method: str
    path: str
    request_id: str
    at: float = field(default_factory=time.time)  # seconds since 1970
    moment: float = field(default_factory=time.monotonic)  # seconds; the same clock in all processes of a machine
    model: str = ""
    fault: str = ""
    status: int = 0  # 0 while it is not answered, and when the answer was broken off
    usage: dict[str, Any] = field(default_factory=dict)  # as in the reply


class Arrivals(Sequence[Arrival]):
    """The last ones, oldest first; all of them with `remember`. `total` counts the forgotten ones too."""

    def __init__(self, *, remember: bool) -> None:
        self.total = 0
        self._kept: deque[Arrival] = deque(maxlen=None if remember else KEPT)
        self._lock = threading.Lock()  # tests look at them from another thread than the server's

    def note(self, endpoint: str, method: str, path: str, request_id: str) -> Arrival:
        with self._lock:
            self.total += 1
            arrival = Arrival(self.total, endpoint, method, path, request_id)
            self._kept.append(arrival)
            return arrival

    def of(self, endpoint: str) -> list[Arrival]:
        """Those at one endpoint."""
        return [arrival for arrival in self if arrival.endpoint == endpoint]

    def as_json(self, *, after: int = 0) -> dict[str, Any]:
        """`total`, and the `arrivals` that are still kept, from the one after that number on."""
        return {"total": self.total, "arrivals": [asdict(one) for one in self if one.number > after]}

    def __iter__(self) -> Iterator[Arrival]:
        with self._lock:
            return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> Arrival: ...
    @overload
    def __getitem__(self, index: slice) -> list[Arrival]: ...
    def __getitem__(self, index: int | slice) -> Arrival | list[Arrival]:
        return list(self)[index]
