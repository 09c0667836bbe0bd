"""Which models there are, and what each of them takes.

Sources (November 2026): the SDK's `types/model.py` for the names, its `DEPRECATED_MODELS` for those that have retired
and are left out here; Anthropic's pages on models (longest output, context window), effort, thinking, prompt caching
(least cacheable prefix), forced tool use, prefill and messages of the system role. Where a page says nothing of a
model, it is taken to be like its neighbours.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

EFFORTS = ("low", "medium", "high", "xhigh", "max")
UP_TO_HIGH, UP_TO_MAX = EFFORTS[:3], (*EFFORTS[:3], "max")
THINKING = ("adaptive", "between_tools", "disabled", "enabled")


@dataclass(frozen=True)
class Model:
    longest_output: int = 128_000  # tokens
    context: int = 1_000_000  # tokens
    least_cached: int = 512  # tokens: a shorter prefix is not cached
    efforts: tuple[str, ...] = EFFORTS  # none: the parameter is refused
    thinking: frozenset[str] = frozenset({"adaptive"})
    undisabled_from: str = ""  # the effort from which thinking cannot be turned off; empty: no such rule
    sampling: bool = False  # takes temperature, top_p or top_k other than the default, under 2023-06-01
    prefill: bool = False  # takes an assistant's message at the end, to go on from
    forced_tools: bool = True  # takes a tool_choice of any, or of one tool
    system_messages: bool = True  # takes the role "system" among the messages


def _thinks(*types: str) -> frozenset[str]:
    return frozenset(types)


_ALWAYS = Model(forced_tools=False)
_OPUS_5 = Model(thinking=_thinks("adaptive", "disabled"), undisabled_from="xhigh")
_SONNET_5 = Model(thinking=_thinks("adaptive", "disabled"), system_messages=False, least_cached=1_024)
_OF_4_6 = Model(
    thinking=_thinks("adaptive", "disabled", "enabled"), efforts=UP_TO_MAX, sampling=True, system_messages=False
)
_OF_4_5 = Model(
    longest_output=64_000,
    context=200_000,
    thinking=_thinks("disabled", "enabled"),
    efforts=(),
    sampling=True,
    prefill=True,
    system_messages=False,
)

MODELS = {
    "claude-fable-5-2": _ALWAYS,
    "claude-fable-5-1": _ALWAYS,
    "claude-fable-5": Model(),
    "claude-mythos-5-2": _ALWAYS,
    "claude-mythos-5-1": _ALWAYS,
    "claude-mythos-5": Model(),
    "claude-opus-5-5": _ALWAYS,
    "claude-opus-5": _OPUS_5,
    "claude-opus-4-8": Model(thinking=_thinks("adaptive", "disabled"), least_cached=1_024),
    "claude-opus-4-7": Model(thinking=_thinks("adaptive", "disabled"), least_cached=2_048, system_messages=False),
    "claude-opus-4-6": replace(_OF_4_6, least_cached=4_096),
    "claude-opus-4-5": replace(_OF_4_5, least_cached=4_096, efforts=UP_TO_HIGH),
    "claude-opus-4-5-20251101": replace(_OF_4_5, least_cached=4_096, efforts=UP_TO_HIGH),
    "claude-sonnet-5-5": Model(thinking=_thinks("adaptive", "between_tools"), forced_tools=False),
    "claude-sonnet-5": _SONNET_5,
    "claude-sonnet-4-6": replace(_OF_4_6, least_cached=1_024, longest_output=64_000),
    "claude-sonnet-4-5": replace(_OF_4_5, least_cached=1_024),
    "claude-sonnet-4-5-20250929": replace(_OF_4_5, least_cached=1_024),
    "claude-haiku-5-5": _OPUS_5,
    "claude-haiku-4-5": replace(_OF_4_5, least_cached=4_096),
    "claude-haiku-4-5-20251001": replace(_OF_4_5, least_cached=4_096),
}


def listed(names: Iterable[str]) -> str:
    """Names as the API lists them: 'low', 'medium' or 'high'."""
    *most, last = [f"'{name}'" for name in names]
    return f"{', '.join(most)} or {last}" if most else last
