"""A reply as the events of a stream, for requests with `stream: true`.

Source: the SDK's `types/raw_message_stream_event.py`, and Anthropic's page on streaming.
"""

import json
from collections.abc import Iterator
from typing import Any

PIECE = 400  # characters of one event


def events(message: dict[str, Any]) -> Iterator[bytes]:
    """The reply, piece by piece, as server-sent events."""
    usage = message["usage"]
    begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield _event("message_start", message=begun)
    for index, block in enumerate(message["content"]):
        yield from _block(index, block)
    ended = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details") if name in message}
    yield _event("message_delta", delta=ended, usage={"output_tokens": usage["output_tokens"]})
    yield _event("message_stop")


def _block(index: int, block: dict[str, Any]) -> Iterator[bytes]:
    if block["type"] == "thinking":
        start = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "signature_delta", "signature": block["signature"]}]
    else:
        start = {"type": "text", "text": ""}
        text = block["text"]
        deltas = [{"type": "text_delta", "text": text[at : at + PIECE]} for at in range(0, len(text), PIECE)]
    yield _event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _event(kind: str, **content: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **content})}\n\n".encode()
