"""The endpoints at `/v1/messages` and `/v1/messages/count_tokens`."""

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from generation.simulated.arrivals import Arrival
from generation.simulated.cache import CacheUse
from generation.simulated.capabilities import MODELS
from generation.simulated.faults import Fault
from generation.simulated.prompt import blocks, count
from generation.simulated.receiving import json_of
from generation.simulated.replies import reply
from generation.simulated.rules import check_count, check_message
from generation.simulated.streaming import events

if TYPE_CHECKING:
    from generation.simulated.server import SimulatedClaude

LARGEST = 32 * 1024 * 1024  # bytes of a request


class MessageEndpoints:
    def __init__(self, claude: "SimulatedClaude") -> None:
        self._claude = claude

    async def create(self, request: Request, arrival: Arrival, version: str) -> Response:
        given = await json_of(request, largest=LARGEST)
        _name_model(arrival, given)
        body = check_message(given, version)
        if self._claude.remember:
            self._claude.requests.append(body)
        prompt = blocks(body)
        input_tokens = count(prompt)
        use = self._claude.cache.use(body["model"], MODELS[body["model"]], prompt, self._claude.clock.now())
        limits = self._claude.limits.of_model(body["model"], self._claude.behaviour)
        limits.admit(input_tokens=input_tokens - use.read)
        fault = self._claude.next_fault(body)
        arrival.fault = str(fault or "")
        if instead := await self._waited(fault):
            return instead
        message = self._written(body, use, input_tokens, fault)
        arrival.usage = message["usage"]
        limits.wrote(message["usage"]["output_tokens"])
        if body.get("stream"):
            return StreamingResponse(events(message), media_type="text/event-stream")
        return JSONResponse(message)

    async def count(self, request: Request, arrival: Arrival, version: str) -> Response:
        given = await json_of(request, largest=LARGEST)
        _name_model(arrival, given)
        return JSONResponse({"input_tokens": count(blocks(check_count(given, version)))})

    async def _waited(self, fault: Fault | None) -> Response | None:
        """Take the time that an answer takes; what is sent in place of a reply, if anything. Raises `Refusal`."""
        if not (fault and fault.at_once):
            await asyncio.sleep(self._claude.latency() + (fault.delay if fault else 0.0))
        if fault is None:
            return None
        if error := fault.error():
            raise error
        return fault.broken()

    def _written(self, body: dict[str, Any], use: CacheUse, input_tokens: int, fault: Fault | None) -> dict[str, Any]:
        message = reply(
            body,
            time=self._claude.author.time(body),
            weak=self._claude.behaviour.weak,
            use=use,
            input_tokens=input_tokens,
        )
        message["id"] = f"msg_simulated_{self._claude.token()}"
        self._claude.cache.write(use, self._claude.clock.now())
        return fault.shaped(message) if fault else message


def _name_model(arrival: Arrival, given: object) -> None:
    """Note which model is asked for, before anything of the request is judged."""
    if isinstance(given, dict) and isinstance(given.get("model"), str):
        arrival.model = given["model"]
