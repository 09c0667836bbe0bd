"""Turns as people write them: checked, and put in the place of those that are stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from conversations.choices import TurnRole
from conversations.models import Conversation, Turn
from conversations.quality import Turn as Said
from conversations.scoring import Spoken
from convgen.text import storable

MOST_TURNS = 200
LONGEST_TURN = 100_000  # characters; search reads no further
# Anthropic's rule of thumb for English, where no reply of Claude tells its own.
TOKENS_PER_CHARACTER = 1 / 4


def cleaned_turns(given: Any) -> list[Said]:
    """Turns from `[{"role": "user", "content": "…"}, …]`. Raises ValidationError with all that is wrong.

    Roles need not alternate: the score tells of that, and a draft may be put right in several steps.
    """
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ValidationError("Give the turns as a list of objects with “role” and “content”.")
    if not given:
        raise ValidationError("Leave one turn at least. To be rid of the conversation, archive it.")
    if len(given) > MOST_TURNS:
        raise ValidationError(f"{len(given)} turns are too many: {MOST_TURNS} at most.")
    wrong = [problem for place, turn in enumerate(given, start=1) for problem in _problems(place, turn)]
    if wrong:
        raise ValidationError(wrong)
    return [Said(str(turn["role"]), storable(turn["content"])) for turn in given]


def rewrite(conversation: Conversation, old: Sequence[Turn], new: Sequence[Said]) -> None:
    """Make the stored turns those given, in places 1 to n. What stays the same is not written."""
    tokens = _tokens_per_character(old)
    changed = []
    for place, (row, said) in enumerate(zip(old, new, strict=False), start=1):
        if (row.position, row.role, row.content) != (place, said.role, said.content):
            row.position, row.role, row.content = place, said.role, said.content
            row.token_count = round(len(said.content) * tokens)
            changed.append(row)
    if superfluous := [row.pk for row in old[len(new) :]]:
        Turn.objects.filter(pk__in=superfluous).delete()
    if changed:
        Turn.objects.bulk_update(changed, ["position", "role", "content", "token_count"])
    add(conversation, new[len(old) :], tokens=tokens, after=len(old))


def add(
    conversation: Conversation, turns: Sequence[Spoken], *, tokens: float = TOKENS_PER_CHARACTER, after: int = 0
) -> None:
    """Store turns behind the `after` that there are; `tokens` each character is estimated to take."""
    if not turns:
        return
    Turn.objects.bulk_create(
        Turn(
            workspace_id=conversation.workspace_id,
            conversation_id=conversation.pk,
            position=place,
            role=said.role,
            content=said.content,
            token_count=round(len(said.content) * tokens),
        )
        for place, said in enumerate(turns, start=after + 1)
    )


def _problems(place: int, turn: Any) -> list[str]:
    if not isinstance(turn, Mapping):
        return [f"Turn {place} is no object with “role” and “content”."]
    problems = []
    if turn.get("role") not in TurnRole.values:
        problems.append(f"Turn {place} needs a role: {' or '.join(TurnRole.values)}.")
    content = turn.get("content")
    if not isinstance(content, str) or not content.strip():
        problems.append(f"Turn {place} is empty: write what is said, or remove the turn.")
    elif len(content) > LONGEST_TURN:
        problems.append(f"Turn {place} has {len(content):,} characters: {LONGEST_TURN:,} at most.")
    return problems


def _tokens_per_character(turns: Sequence[Turn]) -> float:
    """As in the reply that the turns came from, if they came from one."""
    characters = sum(len(turn.content) for turn in turns)
    tokens = sum(turn.token_count for turn in turns)
    return tokens / characters if tokens and characters else TOKENS_PER_CHARACTER
