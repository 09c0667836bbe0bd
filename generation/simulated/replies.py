"""What simulated Claude answers: the text, and a reply in the API's shape around it."""

import hashlib
import json
import random
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from generation.simulated.brief import read_brief
from generation.simulated.cache import CacheUse
from generation.simulated.launcher import MODEL_PREFIX
from generation.simulated.prompt import prompt_text, tokens
from generation.simulated.writer import write_answer, write_conversation

MOST_PROMPTS = 100_000  # whose times are counted; the one that was asked longest ago is forgotten


class Author:
    """Writes another conversation each time that a prompt is asked, and the same ones in every new server."""

    def __init__(self) -> None:
        self._asked: OrderedDict[bytes, int] = OrderedDict()

    def time(self, body: Mapping[str, Any]) -> int:
        """How often this prompt was asked, this time included."""
        key = _digest(prompt_text(body))
        times = self._asked.pop(key, 0) + 1
        self._asked[key] = times
        if len(self._asked) > MOST_PROMPTS:
            self._asked.popitem(last=False)
        return times


def reply(body: Mapping[str, Any], *, time: int, weak: float, use: CacheUse, input_tokens: int) -> dict[str, Any]:
    """The reply to a request, asked for the `time`th time; `weak` is the share of weak conversations.

    `input_tokens` are those of the whole prompt.
    """
    text = _text(body, time, weak) if body["max_tokens"] else ""
    return {
        "id": "",
        "type": "message",
        "role": "assistant",
        "model": MODEL_PREFIX + body["model"],
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": "end_turn" if text else "max_tokens",
        "stop_sequence": None,
        "usage": {
            "input_tokens": input_tokens - use.read - use.written,
            "output_tokens": tokens(text) if text else 0,
            "cache_creation_input_tokens": use.written,
            "cache_read_input_tokens": use.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": use.written_5m,
                "ephemeral_1h_input_tokens": use.written_1h,
            },
            "service_tier": "standard",
        },
    }


def _text(body: Mapping[str, Any], time: int, weak: float) -> str:
    prompt = prompt_text(body)
    seed = int.from_bytes(_digest(f"{time}|{prompt}")[:8])
    if not body.get("output_config", {}).get("format"):
        return write_answer(prompt, seed=seed)
    is_weak = random.Random(seed).random() < weak
    return json.dumps(write_conversation(read_brief(prompt), seed=seed, weak=is_weak), ensure_ascii=False)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
