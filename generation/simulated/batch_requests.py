"""What a request about batches may say, and how a new batch's requests become its items."""

import re
from collections.abc import Mapping
from typing import Any

from generation.simulated.batches import Batch
from generation.simulated.refusal import invalid

MOST_REQUESTS = 100_000
LARGEST = 256 * 1024 * 1024  # bytes
CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
PAGE, LARGEST_PAGE = 20, 1_000


def check_batch(body: object) -> list[dict[str, Any]]:
    """The requests of a new batch; what they ask Claude is only looked at later. Raises `Refusal`."""
    if not isinstance(body, dict):
        raise invalid("The request body is not valid JSON")
    if "requests" not in body:
        raise invalid("requests: Field required")
    for name in body.keys() - {"requests"}:
        raise invalid(f"{name}: Extra inputs are not permitted")
    requests = body["requests"]
    if not isinstance(requests, list):
        raise invalid("requests: Input should be a valid list")
    if not 1 <= len(requests) <= MOST_REQUESTS:
        raise invalid(f"requests: List should have 1 to {MOST_REQUESTS} items, not {len(requests)}")
    seen: set[str] = set()
    for number, request in enumerate(requests):
        _check_request(request, f"requests.{number}", seen)
    return requests


def _check_request(request: object, where: str, seen: set[str]) -> None:
    """`seen` are the ids of those before it; this one's is added."""
    if not isinstance(request, dict):
        raise invalid(f"{where}: Input should be an object")
    for name in ("custom_id", "params"):
        if name not in request:
            raise invalid(f"{where}.{name}: Field required")
    for name in request.keys() - {"custom_id", "params"}:
        raise invalid(f"{where}.{name}: Extra inputs are not permitted")
    custom_id = request["custom_id"]
    if not isinstance(custom_id, str) or not CUSTOM_ID.fullmatch(custom_id):
        raise invalid(f"{where}.custom_id: String should match pattern '^{CUSTOM_ID.pattern}$'")
    if not isinstance(request["params"], dict):
        raise invalid(f"{where}.params: Input should be an object")
    if custom_id in seen:
        raise invalid(f"{where}.custom_id: '{custom_id}' is not unique: each request of a batch needs its own")
    seen.add(custom_id)


def page_of(batches: list[Batch], query: Mapping[str, str]) -> tuple[list[Batch], bool]:
    """One page of the list, newest first, and whether there is more in its direction. Raises `Refusal`."""
    for name in query.keys() - {"limit", "after_id", "before_id"}:
        raise invalid(f"{name}: Extra inputs are not permitted")
    if "after_id" in query and "before_id" in query:
        raise invalid("after_id and before_id cannot both be given")
    limit = _limit(query.get("limit", str(PAGE)))
    if "before_id" in query:
        before = batches[: _place(batches, query["before_id"])]
        return before[-limit:], len(before) > limit
    after = batches[_place(batches, query["after_id"]) + 1 :] if "after_id" in query else batches
    return after[:limit], len(after) > limit


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LARGEST_PAGE):
        raise invalid(f"limit: Input should be a valid integer from 1 to {LARGEST_PAGE}")
    return int(text)


def _place(batches: list[Batch], batch_id: str) -> int:
    for place, batch in enumerate(batches):
        if batch.id == batch_id:
            return place
    raise invalid(f"{batch_id}: no such Message Batch to begin a page at")
