"""Which request fails how: the next ones in their order, or those that hold certain words."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

from generation.simulated.faults import parse_fault
from generation.simulated.prompt import prompt_text

Holds = str | Callable[[Mapping[str, Any]], bool]

ENDPOINTS = (
    "messages",
    "count_tokens",
    *("batches.create", "batches.retrieve", "batches.list", "batches.cancel", "batches.delete", "batches.results"),
    "batched",  # a request inside a batch
)
WITH_REPLIES = ("messages", "batched")
BATCHED_ONLY = ("canceled", "expired")  # what can become of a request in a batch, besides faults


class Script(deque[str]):
    """Faults of the next requests, in their order; an empty text lets one succeed. Unknown ones are a `ValueError`."""

    def __init__(self, faults: Iterable[str] = (), *, batched: bool = False) -> None:
        super().__init__()
        self._batched = batched
        self.extend(faults)

    def append(self, fault: str) -> None:
        super().append(checked(fault, batched=self._batched))

    def extend(self, faults: Iterable[str]) -> None:
        super().extend([checked(fault, batched=self._batched) for fault in faults])


@dataclass
class Rule:
    """Faults of the requests that hold something, used up one after the other."""

    holds: Holds
    endpoint: str
    faults: deque[str] = field(default_factory=deque)
    always: bool = False  # begin again when they are used up

    def matches(self, endpoint: str, body: Mapping[str, Any], prompt: str) -> bool:
        if endpoint != self.endpoint or not self.faults:
            return False
        return self.holds in prompt if isinstance(self.holds, str) else self.holds(body)

    def next(self) -> str:
        fault = self.faults.popleft()
        if self.always:
            self.faults.append(fault)
        return fault


class Rules:
    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, holds: Holds, faults: Iterable[str], *, times: int | None, endpoint: str) -> None:
        """See `SimulatedClaude.when`."""
        if endpoint not in ENDPOINTS:
            raise ValueError(f"Unknown endpoint: {endpoint}. Known are {', '.join(ENDPOINTS)}.")
        if times is not None and times < 1:
            raise ValueError("times must be 1 or more; None stands for always.")
        named = [checked(fault, batched=endpoint == "batched") for fault in faults]
        if not named:
            raise ValueError("Name at least one fault.")
        if endpoint not in WITH_REPLIES:
            for fault in filter(None, named):
                if parse_fault(fault).spoils:
                    raise ValueError(f"{fault} spoils a reply: it fits the endpoints {' and '.join(WITH_REPLIES)}.")
        row = deque(chain.from_iterable(repeat(named, times or 1)))
        self._rules.append(Rule(holds, endpoint, row, always=times is None))

    def fault(self, endpoint: str, body: Mapping[str, Any]) -> str | None:
        """The fault of the first rule that speaks of this request, "" to let it succeed; None when none does."""
        if not self._rules:
            return None
        prompt = prompt_text(body)
        for rule in self._rules:
            if rule.matches(endpoint, body, prompt):
                return rule.next()
        return None


def checked(fault: str, *, batched: bool = False) -> str:
    """The same text. Raises `ValueError` when it is no fault."""
    if fault and not (batched and fault in BATCHED_ONLY):
        parse_fault(fault)
    return fault
