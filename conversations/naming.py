"""Conversations as people and programs name them: by UUID, or by readable id."""

from collections.abc import Iterable, Sequence

from conversations.models.conversation_queries import ConversationQuerySet
from convgen.text import as_key

NAMED = 10  # that a sentence names; the others are counted


def all_found(names: Iterable[str], rows: ConversationQuerySet) -> tuple[ConversationQuerySet, list[str]]:
    """Those of these rows that are named, each once, and the names that lead to none."""
    uuids = {name: known for name in names if (known := as_key(name))}
    readable = {name: name.strip().casefold() for name in names if name not in uuids}
    named = rows.filter(pk__in=uuids.values()) | rows.named(*readable)
    known_as = {each for pk, own in named.values_list("pk", "conversation_id") for each in (pk, own.casefold())}
    return named, [name for name, meant in {**uuids, **readable}.items() if meant not in known_as]


def not_found(names: Sequence[str]) -> str:
    """What to say of names that lead to none."""
    return f"In this workspace there is no {listed(names)}."


def listed(words: Sequence[str], most: int = NAMED) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
