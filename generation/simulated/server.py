"""Simulated Claude: an HTTP server that speaks the Messages API, so that the real SDK has somebody to talk to.

It behaves as API version 2026-10-21 does for what we send, writes plausible conversations (`writer.py`), and
marks them by its model name.
"""

import asyncio
import hashlib
import json
import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from generation.simulated.brief import read_brief
from generation.simulated.faults import FAULTS, error_response
from generation.simulated.launcher import MODEL_PREFIX
from generation.simulated.rules import Refusal, check_request
from generation.simulated.writer import write_answer, write_conversation

CHARACTERS_PER_TOKEN = 4  # a usual rule of thumb for English


@dataclass
class Behaviour:
    latency: float = 0.3  # seconds, on average
    jitter: float = 0.3  # share of the latency by which it varies, up and down
    weak: float = 0.1  # share of conversations that are weak, so that review has work
    fault_rate: float = 0.0  # share of requests that fail
    faults: tuple[str, ...] = ("429", "529", "500", "reset", "malformed", "cut-off")
    script: deque[str] = field(default_factory=deque)  # faults of the next requests, "" for none; before the rate
    api_key: str = ""  # the only key accepted; empty: any key


class SimulatedClaude:
    """The server's application (`.app`, ASGI) and what it has seen (`.requests`, `.last_asked`)."""

    def __init__(self, behaviour: Behaviour, *, identity: str = "", remember: bool = False) -> None:
        self.behaviour = behaviour
        self.identity = identity  # whose simulated Claude it is: the launcher asks
        self.remember = remember  # keep every request, for tests
        self.requests: list[dict[str, Any]] = []
        self.last_asked = time.monotonic()
        self._asked: Counter[str] = Counter()
        self._random = random.Random(7)
        self.app = Starlette(
            routes=[
                Route("/v1/messages", self._messages, methods=["POST"]),
                Route("/health", self._health),
            ]
        )

    async def _health(self, _request: Request) -> Response:
        self.last_asked = time.monotonic()  # whoever looks for it is about to send requests: it must not end now
        return JSONResponse({"simulated": self.identity})

    async def _messages(self, request: Request) -> Response:
        self.last_asked = time.monotonic()
        request_id = f"req_simulated_{self._random.getrandbits(64):016x}"
        try:
            body = check_request(await _json(request), request.headers, accepted_key=self.behaviour.api_key)
        except Refusal as refusal:
            return error_response(refusal.status, refusal.kind, str(refusal), request_id=request_id)
        if self.remember:
            self.requests.append(body)
        response = await self._answer(body)
        response.headers["request-id"] = request_id
        return response

    async def _answer(self, body: dict[str, Any]) -> Response:
        fault = self._next_fault()
        reply = self._reply(body)
        if fault not in ("429", "529", "500", "reset"):  # these come at once
            spread = self.behaviour.jitter * self._random.uniform(-1, 1)
            await asyncio.sleep(self.behaviour.latency * (1 + spread))
        return await FAULTS[fault](reply) if fault else JSONResponse(reply)

    def _next_fault(self) -> str:
        if self.behaviour.script:
            return self.behaviour.script.popleft()
        if self._random.random() < self.behaviour.fault_rate:
            return self._random.choice(self.behaviour.faults)
        return ""

    def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        prompt = _prompt(body)
        text = self._text(prompt, wants_conversation="output_config" in body)
        return {
            "id": f"msg_simulated_{self._random.getrandbits(64):016x}",
            "type": "message",
            "role": "assistant",
            "model": MODEL_PREFIX + body["model"],
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": _tokens(prompt),
                "output_tokens": _tokens(text),
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
            },
        }

    def _text(self, prompt: str, *, wants_conversation: bool) -> str:
        """The same for the same prompt, but another conversation each further time that it is asked."""
        self._asked[prompt] += 1
        digest = hashlib.sha256(f"{self._asked[prompt]}|{prompt}".encode()).digest()
        seed = int.from_bytes(digest[:8])
        if not wants_conversation:
            return write_answer(prompt, seed=seed)
        weak = random.Random(seed).random() < self.behaviour.weak
        return json.dumps(write_conversation(read_brief(prompt), seed=seed, weak=weak), ensure_ascii=False)


async def _json(request: Request) -> object:
    try:
        return await request.json()
    except (ValueError, UnicodeDecodeError):
        return None


def _prompt(body: dict[str, Any]) -> str:
    """All text of a request: the system prompt, then the messages."""
    parts = [body.get("system", ""), *(message["content"] for message in body["messages"])]
    return "\n\n".join(_plain(part) for part in parts)


def _plain(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content)


def _tokens(text: str) -> int:
    return max(1, len(text) // CHARACTERS_PER_TOKEN)
