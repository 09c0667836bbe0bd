"""The endpoints at `/v1/messages/batches`."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from generation.simulated.arrivals import Arrival
from generation.simulated.batch_requests import LARGEST, check_batch, page_of
from generation.simulated.batches import Batch, Batches, Item
from generation.simulated.capabilities import MODELS
from generation.simulated.faults import parse_fault
from generation.simulated.prompt import blocks, count
from generation.simulated.receiving import json_of
from generation.simulated.refusal import Refusal
from generation.simulated.rules import check_message
from generation.simulated.script import BATCHED_ONLY

if TYPE_CHECKING:
    from generation.simulated.server import SimulatedClaude

AT_A_TIME = 50  # requests of a new batch, or results, after which others get their turn


class BatchEndpoints:
    def __init__(self, claude: "SimulatedClaude", batches: Batches) -> None:
        self._claude = claude
        self._batches = batches

    async def create(self, request: Request, _arrival: Arrival, version: str) -> Response:
        requests = check_batch(await json_of(request, largest=LARGEST))
        behaviour, now = self._claude.behaviour, self._claude.clock.now()
        items = []
        for number, one in enumerate(requests, start=1):
            items.append(self._item(one, version, now))
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
        batch = Batch(f"msgbatch_simulated_{self._claude.token()}", items, now, behaviour.batch_seconds, behaviour.weak)
        self._batches.add(batch)
        # Only now, so that no request reads what another one of this batch writes: all are done at once.
        for item in items:
            if item.use:
                self._claude.cache.write(item.use, now + batch.seconds)
        return JSONResponse(self._batches.shown(batch, _base(request), at=now))

    async def list(self, request: Request, _arrival: Arrival, _version: str) -> Response:
        page, more = page_of(self._batches.all(), request.query_params)
        shown = [self._batches.shown(batch, _base(request)) for batch in page]
        ends = {"first_id": page[0].id, "last_id": page[-1].id} if page else {"first_id": None, "last_id": None}
        return JSONResponse({"data": shown, "has_more": more, **ends})

    async def retrieve(self, request: Request, _arrival: Arrival, _version: str) -> Response:
        return JSONResponse(self._batches.shown(self._batches.get(_id(request)), _base(request)))

    async def cancel(self, request: Request, _arrival: Arrival, _version: str) -> Response:
        batch = self._batches.cancel(_id(request))
        return JSONResponse(self._batches.shown(batch, _base(request), at=batch.canceled))

    async def delete(self, request: Request, _arrival: Arrival, _version: str) -> Response:
        self._batches.delete(_id(request))
        return JSONResponse({"id": _id(request), "type": "message_batch_deleted"})

    async def results(self, request: Request, _arrival: Arrival, _version: str) -> Response:
        return StreamingResponse(_lines(self._batches.results(_id(request))), media_type="application/x-jsonl")

    def _item(self, request: Mapping[str, Any], version: str, now: float) -> Item:
        """What becomes of a request: a wrong one is only told so in its result, as an error."""
        custom_id, params = request["custom_id"], request["params"]
        try:
            body = check_message(params, version, batched=True)
        except Refusal as error:
            return Item(custom_id, params, error=error)
        named = self._claude.next_batched(body)
        if named in BATCHED_ONLY:
            return Item(custom_id, body, ends=named)
        fault = parse_fault(named) if named else None
        error_of = fault.error() if fault else None
        if fault and (error_of or fault.breaks):
            return Item(custom_id, body, error=error_of or Refusal(500, "api_error", "Internal server error"))
        prompt = blocks(body)
        return Item(
            custom_id,
            body,
            fault=fault,
            time=self._claude.author.time(body),
            input_tokens=count(prompt),
            use=self._claude.cache.use(body["model"], MODELS[body["model"]], prompt, now),
        )


async def _lines(results: Iterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    for number, result in enumerate(results, start=1):
        yield f"{json.dumps(result, ensure_ascii=False)}\n".encode()
        if number % AT_A_TIME == 0:
            await asyncio.sleep(0)


def _id(request: Request) -> str:
    batch_id: str = request.path_params["id"]
    return batch_id


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
