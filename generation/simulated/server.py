"""Simulated Claude: an HTTP server that speaks the Messages API, so that the real SDK has somebody to talk to.

It behaves as API version 2026-10-21 does, writes plausible conversations (`writer.py`), and marks them by its model
name. Beside messages it knows message batches and the counting of tokens, enforces rate limits, caches prompts, and
fails as it is told to. `docs/simulated-claude.md` tells how to use it.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from generation.simulated.arrivals import Arrival, Arrivals
from generation.simulated.batch_endpoints import BatchEndpoints
from generation.simulated.batches import Batches
from generation.simulated.behaviour import Behaviour as Behaviour
from generation.simulated.cache import PromptCache
from generation.simulated.capabilities import MODELS
from generation.simulated.clock import Clock
from generation.simulated.faults import BrokenOff, Fault, parse_fault
from generation.simulated.limits import Exhausted, Limits
from generation.simulated.message_endpoints import MessageEndpoints
from generation.simulated.refusal import Refusal, invalid
from generation.simulated.replies import Author
from generation.simulated.rules import check_headers
from generation.simulated.script import Holds, Rules

Handler = Callable[[Request, Arrival, str], Awaitable[Response]]  # the last one is the API's version


class SimulatedClaude:
    """The server's application (`.app`, ASGI) and what it has seen.

    `requests` are the bodies of the messages that it took, kept with `remember` only; `arrivals` are all requests,
    refused ones too. `behaviour` may be changed at any time, and `clock.advance` lets time pass for limits, batches
    and the prompt cache.
    """

    def __init__(self, behaviour: Behaviour, *, identity: str = "", remember: bool = False) -> None:
        self.behaviour = behaviour
        self.identity = identity  # whose simulated Claude it is: the launcher asks
        self.remember = remember  # keep every request, for tests
        self.requests: list[dict[str, Any]] = []
        self.arrivals = Arrivals(remember=remember)
        self.last_asked = time.monotonic()
        self.clock = Clock()
        self.cache = PromptCache()
        self.limits = Limits(self.clock)
        self.author = Author()
        self._rules = Rules()
        self._random = random.Random(7)
        self.app = Starlette(routes=self._routes(), exception_handlers={HTTPException: self._no_such_path})

    # --- What it is told to do ---------------------------------------------------------------------------

    def when(self, holds: Holds, *faults: str, times: int | None = 1, endpoint: str = "messages") -> None:
        """Let requests fail by what they hold: the first one with the first fault, the next with the second.

        `holds` is a text of the prompt, or a function of the request's body; an empty text is in every request. The
        faults are gone through `times` times, for ever with None; then such requests succeed. An empty fault lets one
        succeed in between. What speaks of a request here comes before `behaviour.script`. `endpoint` is one of
        `script.ENDPOINTS`; `batched` is a request inside a batch, and of other endpoints than that and `messages`
        every request is empty. Raises `ValueError` for an unknown fault or endpoint.
        """
        self._rules.add(holds, faults, times=times, endpoint=endpoint)

    def next_fault(self, body: Mapping[str, Any]) -> Fault | None:
        """How this message fails."""
        named = self._rules.fault("messages", body)
        if named is None and self.behaviour.script:
            named = self.behaviour.script.popleft()
        if named is None:
            return self._drawn()
        return parse_fault(named) if named else None

    def next_batched(self, body: Mapping[str, Any]) -> str:
        """What is to become of a request in a batch: a fault, `canceled`, `expired`, or "" for a reply."""
        named = self._rules.fault("batched", body)
        if named is None and self.behaviour.batch_script:
            named = self.behaviour.batch_script.popleft()
        return str(self._drawn() or "") if named is None else named

    def latency(self) -> float:
        """Seconds that the next answer takes."""
        spread = self.behaviour.jitter * self._random.uniform(-1, 1)
        return self.behaviour.latency * (1 + spread)

    def token(self) -> str:
        """The end of a new id: the same ones, in the same order, in every new server."""
        return f"{self._random.getrandbits(64):016x}"

    def _drawn(self) -> Fault | None:
        """A fault, for the share of the requests that fail at random."""
        if self._random.random() < self.behaviour.fault_rate:
            return parse_fault(self._random.choice(self.behaviour.faults))
        return None

    # --- What every request goes through -----------------------------------------------------------------

    def _routes(self) -> list[Route]:
        messages, batches = MessageEndpoints(self), BatchEndpoints(self, Batches(self.clock))
        several, one = "/v1/messages/batches", "/v1/messages/batches/{id}"
        table: list[tuple[str, str, str, Handler]] = [
            ("POST", "/v1/messages", "messages", messages.create),
            ("POST", "/v1/messages/count_tokens", "count_tokens", messages.count),
            ("POST", several, "batches.create", batches.create),
            ("GET", several, "batches.list", batches.list),
            ("GET", one, "batches.retrieve", batches.retrieve),
            ("DELETE", one, "batches.delete", batches.delete),
            ("POST", f"{one}/cancel", "batches.cancel", batches.cancel),
            ("GET", f"{one}/results", "batches.results", batches.results),
        ]
        routes = [
            Route(path, partial(self._answered, endpoint, handler), methods=[method])
            for method, path, endpoint, handler in table
        ]
        return [*routes, Route("/health", self._health), Route("/arrivals", self._told_arrivals)]

    async def _answered(self, endpoint: str, handler: Handler, request: Request) -> Response:
        arrival = self._noted(endpoint, request)
        exhausted = ""
        try:
            version = check_headers(request.headers, accepted_key=self.behaviour.api_key)
            response = await self._instead(arrival) or await handler(request, arrival, version)
            response = self._lost(arrival) or response
        except Refusal as refusal:
            exhausted = refusal.limit_name if isinstance(refusal, Exhausted) else ""
            response = refusal.response(arrival.request_id)
        response.headers.update(self._limit_headers(arrival, exhausted))
        response.headers["request-id"] = arrival.request_id
        arrival.status = 0 if isinstance(response, BrokenOff) else response.status_code
        return response

    def _noted(self, endpoint: str, request: Request) -> Arrival:
        self.last_asked = time.monotonic()
        request_id = f"req_simulated_{self.token()}"
        return self.arrivals.note(endpoint, request.method, request.url.path, request_id)

    async def _instead(self, arrival: Arrival) -> Response | None:
        """The limits and scripted faults of other endpoints than messages, which see to theirs. Raises `Refusal`."""
        if arrival.endpoint == "messages":
            return None
        self.limits.of_endpoint(arrival.endpoint, self.behaviour).admit()
        arrival.fault = self._rules.fault(arrival.endpoint, {}) or ""
        fault = parse_fault(arrival.fault) if arrival.fault else None
        if fault and (error := fault.error()):
            raise error
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        return fault.broken() if fault and not fault.loses else None

    def _lost(self, arrival: Arrival) -> Response | None:
        """What comes in place of the answer, when what was asked for is done all the same."""
        fault = parse_fault(arrival.fault) if arrival.fault else None
        return fault.broken() if fault and fault.loses else None

    def _limit_headers(self, arrival: Arrival, exhausted: str) -> dict[str, str]:
        if arrival.endpoint != "messages":
            return self.limits.of_endpoint(arrival.endpoint, self.behaviour).headers(exhausted=exhausted)
        if arrival.model not in MODELS:
            return {}  # whose limits?
        return self.limits.of_model(arrival.model, self.behaviour).headers(exhausted=exhausted)

    async def _no_such_path(self, request: Request, problem: Exception) -> Response:
        """There is no such path, or not with this method."""
        status, message = (404, "Not Found")
        if isinstance(problem, HTTPException):
            status, message = problem.status_code, problem.detail
        kind = "not_found_error" if status == 404 else "invalid_request_error"
        arrival = self._noted("", request)
        arrival.status = status
        return Refusal(status, kind, message).response(arrival.request_id)

    # --- What is not of the API --------------------------------------------------------------------------

    async def _health(self, _request: Request) -> Response:
        self.last_asked = time.monotonic()  # whoever looks for it is about to send requests: it must not end now
        return JSONResponse({"simulated": self.identity})

    async def _told_arrivals(self, request: Request) -> Response:
        """What reached the server, for tests in other processes; `?after=` a number leaves out those before."""
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            return invalid("after: Input should be the number of an arrival").response("")
        return JSONResponse(self.arrivals.as_json(after=int(after)))
