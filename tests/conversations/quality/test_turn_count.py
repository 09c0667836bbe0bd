import pytest

from conversations.quality import Sample, Turn
from conversations.quality.turn_count import judge_turn_count


def with_turns(count: int) -> Sample:
    turns = tuple(Turn("assistant" if number % 2 else "user", "Something is said.") for number in range(count))
    return Sample(turns, "template")


@pytest.mark.parametrize(
    ("count", "score"),
    [(0, 0), (2, 2.5), (4, 5), (6, 7.5), (8, 10), (12, 10), (16, 10), (18, 7.5), (20, 5), (22, 2.5), (30, 0)],
)
def test_the_score_follows_the_number_of_turns(count: int, score: float) -> None:
    assert judge_turn_count(with_turns(count)).score == score


@pytest.mark.parametrize("count", [1, 2, 3, 21, 22, 40])
def test_below_four_and_above_twenty_turns_less_than_half_remains(count: int) -> None:
    assert judge_turn_count(with_turns(count)).score < 5


def test_a_good_number_of_turns_needs_no_advice() -> None:
    judgement = judge_turn_count(with_turns(10))
    assert (judgement.actual, judgement.target, judgement.advice) == ("10 turns", "8–16 turns", "")


def test_too_few_turns_say_how_many_to_add() -> None:
    judgement = judge_turn_count(with_turns(3))
    assert judgement.concern == "too_few_turns"
    assert "at least 5 turns" in judgement.advice


def test_one_missing_turn_is_said_in_the_singular() -> None:
    assert "at least 1 turn," in judge_turn_count(with_turns(7)).advice


def test_too_many_turns_say_what_to_aim_for() -> None:
    judgement = judge_turn_count(with_turns(22))
    assert judgement.concern == "too_many_turns"
    assert "16 turns or fewer" in judgement.advice
