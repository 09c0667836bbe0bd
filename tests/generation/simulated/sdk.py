"""The real SDK, asking simulated Claude."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from anthropic import AsyncAnthropic

Got = TypeVar("Got")

MODEL = "claude-sonnet-5-5"
WORDS_OF_A_CACHED_PROMPT = "A word of a long prompt. " * 200  # 1,250 tokens: sonnet-5-5 caches from 512 on


def ask(url: str, use: Callable[[AsyncAnthropic], Awaitable[Got]], **options: Any) -> Got:
    """What comes of using the SDK, without its own retries; options are the client's."""

    async def once() -> Got:
        # With a timeout of one's own the SDK leaves it to the server to refuse long replies that are not streamed.
        usual: dict[str, Any] = {"api_key": "test-key", "base_url": url, "max_retries": 0, "timeout": 10.0}
        async with AsyncAnthropic(**{**usual, **options}) as sdk:
            return await use(sdk)

    return asyncio.run(once())


def message(prompt: str = "Hello?", **changes: Any) -> dict[str, Any]:
    """A request for a message in words."""
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": prompt}], **changes}


def cached(text: str = WORDS_OF_A_CACHED_PROMPT, **control: str) -> dict[str, Any]:
    """A block that ends a cached prefix."""
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", **control}}
