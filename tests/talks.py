"""Turns for tests: as many as are wanted, long enough, and unlike those of another seed."""

from typing import Any

from conversations import editing
from conversations.models import Conversation
from tests.factories import WorkspaceFactory


def turns(count: int = 8, *, seed: int = 1, words: int = 60) -> list[dict[str, str]]:
    """Turns that score 10 in all but the topic, which they never name."""
    return [
        {
            "role": ("user", "assistant")[number % 2],
            "content": " ".join(f"w{seed}x{number}x{word}" for word in range(words)) + ".",
        }
        for number in range(count)
    ]


def a_talk(count: int = 8, *, seed: int = 1, **values: Any) -> Conversation:
    """A conversation with turns that was created by hand; in its own workspace, unless told which."""
    workspace = values.pop("workspace", None) or WorkspaceFactory()
    return editing.create(workspace=workspace, **{"tier": "template", "turns": turns(count, seed=seed), **values})
