"""Texts as PostgreSQL can store them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Conversation
from convgen.text import storable, storable_json
from tests.factories import ConversationFactory


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("plain, Éà日本 and 😀", "plain, Éà日本 and 😀"),
        ("a\x00b", "ab"),
        ("a lone \ud83d half", "a lone � half"),
        ("the other \ude00 half", "the other � half"),
        ("cut off \ud83d", "cut off �"),
        ("two halves \ud83d\ude00", "two halves 😀"),
        ("\ufeffa mark at the beginning", "\ufeffa mark at the beginning"),
        ("", ""),
    ],
)
def test_what_cannot_be_stored_is_replaced(text: str, stored: str) -> None:
    assert storable(text) == stored


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_every_text_can_be_encoded_afterwards(text: str) -> None:
    stored = storable(text)
    assert "\x00" not in stored
    assert stored.encode() is not None
    assert storable(stored) == stored


def test_json_is_cleaned_at_every_depth() -> None:
    value = {"a\x00": ["\ud83d", {"b": "c\x00"}], "number": 1.5, "none": None, "yes": True}
    assert storable_json(value) == {"a": ["�", {"b": "c"}], "number": 1.5, "none": None, "yes": True}


@pytest.mark.django_db
def test_the_database_takes_it() -> None:
    reply = json.loads('{"note": "\\u0000 and \\ud83d"}')
    made = ConversationFactory(parameters=storable_json(reply), title=storable(reply["note"]))
    assert Conversation.objects.get(pk=made.pk).parameters == {"note": " and �"}
