"""The prompt cache: which part of a prompt is read from it, and which is written to it.

Source: Anthropic's page on prompt caching. A prefix ends at a block with `cache_control`; tools come first, then the
system prompt, then the messages. It is cached from a least length on, which depends on the model, for five minutes or
an hour after it was last used, and can be read once the reply that writes it has begun. A breakpoint also finds what
was written at one of the 20 blocks before it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from generation.simulated.capabilities import Model
from generation.simulated.prompt import CHARACTERS_PER_TOKEN, Block

SECONDS = {"5m": 300.0, "1h": 3_600.0}
LOOK_BACK = 20  # blocks
MOST_ENTRIES = 10_000  # the oldest go first


@dataclass(frozen=True)
class Prefix:
    key: bytes
    tokens: int
    ttl: str  # "5m" or "1h"; empty where nothing is to be written


@dataclass
class CacheUse:
    """What one request reads and writes, in tokens; the rest of its prompt is read afresh."""

    read: int = 0
    written_5m: int = 0
    written_1h: int = 0
    writes: list[Prefix] = field(default_factory=list)

    @property
    def written(self) -> int:
        return self.written_5m + self.written_1h


@dataclass
class _Entry:
    readable: float  # from that moment on
    expires: float
    ttl: str


class PromptCache:
    """What was cached, by model. Moments are in seconds, as `Clock.now()` tells them."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def use(self, name: str, model: Model, blocks: list[Block], now: float) -> CacheUse:
        """What a request for the model reads at this moment, and what it is to write once its reply begins."""
        if not any(block.cached for block in blocks):
            return CacheUse()
        prefixes = list(_prefixes(name, blocks))
        use = CacheUse(read=self._read(prefixes, now))
        for prefix in prefixes:
            if not prefix.ttl or prefix.tokens < model.least_cached or prefix.tokens <= use.read + use.written:
                continue
            more = prefix.tokens - use.read - use.written
            if prefix.ttl == "1h":
                use.written_1h += more
            else:
                use.written_5m += more
            use.writes.append(prefix)
        return use

    def write(self, use: CacheUse, readable: float) -> None:
        """Keep what a request writes: others read it from that moment on."""
        for prefix in use.writes:
            self._entries.setdefault(prefix.key, _Entry(readable, 0.0, prefix.ttl))
            entry = self._entries[prefix.key]
            over = entry.expires < readable  # also a new one
            entry.readable = readable if over else min(entry.readable, readable)
            entry.ttl = prefix.ttl if over else entry.ttl
            entry.expires = max(entry.expires, readable + SECONDS[entry.ttl])
            self._entries.move_to_end(prefix.key)
        while len(self._entries) > MOST_ENTRIES:
            self._entries.popitem(last=False)

    def _read(self, prefixes: list[Prefix], now: float) -> int:
        """The tokens of the longest prefix that is there, which then stays for another while."""
        reach = 0  # how many more blocks may be looked back at
        for prefix in reversed(prefixes):
            reach = LOOK_BACK + 1 if prefix.ttl else reach
            entry = self._entries.get(prefix.key) if reach > 0 else None
            if entry and entry.readable <= now < entry.expires:
                entry.expires = now + SECONDS[entry.ttl]
                self._entries.move_to_end(prefix.key)
                return prefix.tokens
            reach -= 1
        return 0


def _prefixes(model: str, blocks: list[Block]) -> Iterator[Prefix]:
    """The prompt up to the end of each of its blocks."""
    digest = hashlib.sha256(model.encode())
    characters = 0
    for block in blocks:
        digest.update(f"\x00{block.place}\x00{block.text}".encode())
        characters += len(block.text)
        ttl = _ttl(block.cached) if block.cached else ""
        yield Prefix(digest.digest(), characters // CHARACTERS_PER_TOKEN, ttl)


def _ttl(cached: Any) -> str:
    ttl: str = cached.get("ttl", "5m")
    return ttl
