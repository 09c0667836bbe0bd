"""Two versions side by side, as data, and `manage.py compare_versions`."""

import json
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from conversations.comparison import Comparison, TurnPair, compare, word_difference
from conversations.models import Conversation, Workspace
from tests.factories import ChunkFactory, ConversationFactory, TurnFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


def talk(*said: str, **values: Any) -> Conversation:
    """A conversation in which user and assistant take turns."""
    made: Conversation = ConversationFactory(status="generated", turn_count=len(said), **values)
    for position, content in enumerate(said, start=1):
        TurnFactory(conversation=made, position=position, role=("assistant", "user")[position % 2], content=content)
    return made


def differences(found: Comparison) -> dict[str, tuple[Any, Any]]:
    return {one.label: (one.before, one.after) for one in found.differences}


def rebuilt(pair: TurnPair, *, without: str) -> str:
    return "".join(segment.text for segment in pair.segments if segment.change != without)


def shape(pairs: Iterable[TurnPair]) -> list[tuple[str, int | None, int | None]]:
    return [(pair.change, pair.before_position, pair.after_position) for pair in pairs]


# --- Facts


def test_only_what_became_different_is_listed() -> None:
    metrics = {"components": [{"name": "length", "label": "Length", "score": 6.0}]}
    better = {"components": [{"name": "length", "label": "Length", "score": 9.5}]}
    before = talk(
        parameters={"city": "Oslo", "age": 41},
        quality_score=Decimal("6.1"),
        quality_metrics=metrics,
        cost_usd=Decimal("0.0123"),
        input_tokens=100,
    )
    after = talk(
        template=before.template,
        workspace=before.workspace,
        parameters={"city": "Bergen", "age": 41, "season": "spring"},
        emotion="Hopeful",
        quality_score=Decimal("8.4"),
        quality_metrics=better,
        cost_usd=Decimal("0.02"),
        input_tokens=140,
        chunk=ChunkFactory(document__title="Guide", document__workspace=before.workspace, position=3),
    )
    assert differences(compare(before, after)) == {
        "Emotion": ("Anxious", "Hopeful"),
        "Source": (None, "Guide #3"),
        "city": ("Oslo", "Bergen"),
        "season": (None, "spring"),
        "Input tokens": (100, 140),
        "Cost in USD": (0.0123, 0.02),
        "Quality score": (6.1, 8.4),
        "Length": (6.0, 9.5),
    }


def test_a_conversation_does_not_differ_from_itself() -> None:
    one = talk("Hello?", "Hello.")
    found = compare(one, one)
    assert found.differences == []
    assert shape(found.turns) == [("equal", 1, 1), ("equal", 2, 2)]


# --- Turns


def test_turns_of_one_role_that_share_words_stand_side_by_side() -> None:
    before = talk("How do I save for a car?", "Set money aside each month.", "And the rent?", "Rent first.")
    after = talk("Good morning!", "Good morning.", "How should I save for a car?", "Set money aside each month.")
    assert shape(compare(before, after).turns) == [
        ("added", None, 1),
        ("added", None, 2),
        ("changed", 1, 3),
        ("equal", 2, 4),
        ("removed", 3, None),
        ("removed", 4, None),
    ]


def test_a_turn_stands_beside_none_of_another_role() -> None:
    before, after = talk("The same words."), ConversationFactory()
    TurnFactory(conversation=after, position=1, role="assistant", content="The same words.")
    assert {pair.change for pair in compare(before, after).turns} == {"added", "removed"}


def test_one_that_was_never_written_has_no_turns_to_show() -> None:
    found = compare(talk("Hello?", "Hello."), ConversationFactory())
    assert shape(found.turns) == [("removed", 1, None), ("removed", 2, None)]


def test_words_within_a_changed_turn_are_told_apart() -> None:
    before = talk("I want to put money aside for a small car before the spring comes.")
    after = talk("I want to put money aside for a good bicycle before the spring comes.")
    (pair,) = compare(before, after).turns
    assert [(segment.change, segment.text) for segment in pair.segments] == [
        ("equal", "I want to put money aside for a "),
        ("removed", "small car "),
        ("added", "good bicycle "),
        ("equal", "before the spring comes."),
    ]


def test_a_few_words_kept_between_two_changes_are_shown_as_changed() -> None:
    before = "We begin with the rent, and then we look at the groceries of each week together."
    after = "We begin with your income, then look at all the bills of each week together."
    segments = word_difference(before, after)
    assert [segment.change for segment in segments] == ["equal", "removed", "added", "equal"]
    assert segments[0].text == "We begin with " and segments[-1].text == "of each week together."


def test_a_turn_that_shares_no_more_than_a_word_or_two_is_rewritten() -> None:
    (pair,) = compare(talk("Rent is the first thing to pay."), talk("Begin with the groceries, please.")).turns
    assert pair.rewritten
    assert [(segment.change, segment.text) for segment in pair.segments] == [
        ("removed", "Rent is the first thing to pay."),
        ("added", "Begin with the groceries, please."),
    ]
    (pair,) = compare(talk("Rent is the first thing to pay."), talk("Rent is the first thing.")).turns
    assert not pair.rewritten


def test_turns_whose_words_are_always_the_same_are_told_whole_and_not_for_minutes() -> None:
    ours, theirs = "so so " * 10_000, "so so " * 10_000 + "much"
    assert [(segment.change, segment.text) for segment in word_difference(ours, theirs)] == [
        ("removed", ours),
        ("added", theirs),
    ]


TEXTS = st.text(alphabet="ab .,'\n", max_size=40)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_rebuilt_from_the_segments(ours: str, theirs: str) -> None:
    segments = word_difference(ours, theirs)
    assert "".join(one.text for one in segments if one.change != "added") == ours
    assert "".join(one.text for one in segments if one.change != "removed") == theirs
    assert all(one.text for one in segments)


def test_it_is_plain_json() -> None:
    before = talk("What now?", "Wait.", parameters={"children": ["Ada", "Max"], "cost": 4.5})
    after = talk("What now, please?", "Wait.", cost_usd=Decimal("0.5"))
    found = compare(before, after).as_json()
    read = json.loads(json.dumps(found))
    assert (read["before"], read["after"]) == (before.conversation_id, after.conversation_id)
    assert {"group": "parameters", "label": "cost", "before": 4.5, "after": None} in read["differences"]
    assert {"group": "parameters", "label": "children", "before": '["Ada", "Max"]', "after": None} in read[
        "differences"
    ]
    assert read["turns"][1] | {"before": "Wait.", "after": "Wait.", "change": "equal"} == read["turns"][1]
    assert {"change": "added", "text": ", please"} in read["turns"][0]["segments"]


def test_long_conversations_take_no_more_queries() -> None:
    short, long = talk("Hello?", "Hello."), talk(*(f"Number {number}." for number in range(30)))
    with CaptureQueriesContext(connection) as few:
        compare(short, short)
    with CaptureQueriesContext(connection) as many:
        compare(long, long)
    assert len(few) == len(many) == 2


# --- The command


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(is_default=True)


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("compare_versions", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_facts_and_turns_for_people(workspace: Workspace) -> None:
    talk("What now?", "Wait a bit.", workspace=workspace, conversation_id="TPL-0001", emotion="Calm")
    talk("What now?", "Wait a month.", workspace=workspace, conversation_id="TPL-0002")
    shown = told("tpl-0001", "TPL-0002")
    assert "TPL-0001" in shown and "TPL-0002" in shown
    assert "Emotion" in shown and "Calm" in shown and "Anxious" in shown
    assert "1. user: the same" in shown
    assert "2. assistant: Wait a [-bit-]{+month+}." in shown


def test_the_command_prints_one_json_object_for_scripts(workspace: Workspace) -> None:
    one = talk("What now?", workspace=workspace)
    other = talk("What then?", workspace=workspace)
    assert json.loads(told(one.conversation_id, other.conversation_id, "--json")) == compare(one, other).as_json()


def test_the_command_says_which_conversation_there_is_not(workspace: Workspace) -> None:
    one = talk("What now?", workspace=workspace)
    foreign = talk("What then?")
    with pytest.raises(CommandError, match=f"There is no conversation {foreign.conversation_id}"):
        told(one.conversation_id, foreign.conversation_id)
