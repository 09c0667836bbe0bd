"""Why a conversation must stay for now, as the apps uphill tell it: they register what they know when they start."""

from collections.abc import Callable
from typing import TypeAlias

from conversations.models import Conversation

Reason: TypeAlias = Callable[[Conversation], str]  # a sentence that says what to do; empty: it need not stay

_reasons: list[Reason] = []


def stays_while(reason: Reason) -> None:
    _reasons.append(reason)


def why_it_stays(conversation: Conversation) -> str:
    """The first reason there is; empty when there is none."""
    return next((sentence for reason in _reasons if (sentence := reason(conversation))), "")
