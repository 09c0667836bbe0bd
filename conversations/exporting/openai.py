"""OpenAI's chat format: one JSON object a line, `{"messages": [{"role": …, "content": …}, …]}`."""

import json
from collections.abc import Sequence
from itertools import pairwise

from conversations.choices import TurnRole
from conversations.models import Turn


def line(turns: Sequence[Turn], *, system: str) -> str:
    """One training example; `system` is its system message, and left out when empty."""
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": turn.role, "content": turn.content} for turn in turns]
    return json.dumps({"messages": messages}, ensure_ascii=False)


def objection(turns: Sequence[Turn]) -> str:
    """Why the turns are no valid example, in words; empty when they are one."""
    roles = [turn.role for turn in turns]
    if not roles or roles[-1] != TurnRole.ASSISTANT:
        return "it does not end with the assistant"
    if roles[0] != TurnRole.USER or any(one == following for one, following in pairwise(roles)):
        return "its roles do not alternate from the user on"
    if any(not turn.content.strip() for turn in turns):
        return "a turn is empty"
    return ""
