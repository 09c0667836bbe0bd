import pytest

from conversations.quality import Sample, Turn
from conversations.quality.length import judge_length


def words(count: int) -> str:
    return " ".join(["word"] * count)


def with_lengths(user: int, assistant: int, tier: str = "template") -> Sample:
    return Sample((Turn("user", words(user)), Turn("assistant", words(assistant))) * 4, tier)


@pytest.mark.parametrize(
    ("tier", "lowest", "highest"), [("template", 40, 150), ("scenario", 50, 180), ("edge_case", 60, 220)]
)
def test_each_tier_has_its_own_range_for_the_assistant(tier: str, lowest: int, highest: int) -> None:
    assert judge_length(with_lengths(20, lowest, tier)).score == 10
    assert judge_length(with_lengths(20, highest, tier)).score == 10
    assert judge_length(with_lengths(20, lowest - 1, tier)).score < 10
    assert judge_length(with_lengths(20, highest + 1, tier)).score < 10


@pytest.mark.parametrize(("assistant", "score"), [(8, 2.5), (24, 6.25), (300, 6.25), (450, 2.5), (900, 2.5)])
def test_outside_the_range_the_assistants_three_quarters_fall_in_a_straight_line(assistant: int, score: float) -> None:
    assert judge_length(with_lengths(20, assistant)).score == pytest.approx(score)


@pytest.mark.parametrize(("user", "score"), [(1, 7.5), (8, 10), (100, 10), (200, 8.75), (300, 7.5)])
def test_the_users_side_is_worth_a_quarter(user: int, score: float) -> None:
    assert judge_length(with_lengths(user, 80)).score == pytest.approx(score)


def test_short_answers_are_named_with_their_average_and_a_goal() -> None:
    judgement = judge_length(with_lengths(20, 12))
    assert judgement.concern == "too_short"
    assert judgement.finding == "The assistant's turns are short: 12 words on average."
    assert "at least 40 words" in judgement.advice


def test_long_answers_are_named_with_their_average_and_a_goal() -> None:
    judgement = judge_length(with_lengths(20, 400))
    assert judgement.concern == "too_long"
    assert "150 words or fewer" in judgement.advice


def test_a_single_giant_turn_is_named_though_the_average_is_fine() -> None:
    sample = Sample((*with_lengths(20, 60).turns, Turn("user", words(20)), Turn("assistant", words(480))), "template")
    judgement = judge_length(sample)
    assert judgement.score == 10
    assert judgement.finding == "Turn 10 (assistant) is very long with 480 words."
    assert judgement.advice


def test_a_single_tiny_turn_is_named_too() -> None:
    sample = Sample((*with_lengths(20, 60).turns, Turn("user", words(20)), Turn("assistant", "Sure.")), "template")
    assert judge_length(sample).finding == "Turn 10 (assistant) is very short with 1 word."


def test_a_side_that_never_speaks_scores_nothing() -> None:
    judgement = judge_length(Sample((Turn("user", words(20)),), "template"))
    assert judgement.score == 2.5
    assert "The assistant says nothing." in judgement.finding


def test_empty_turns_do_not_pull_the_average_down() -> None:
    sample = Sample((*with_lengths(20, 40).turns, Turn("user", words(20)), Turn("assistant", "  ")), "template")
    assert judge_length(sample).score == 10


def test_each_character_of_an_unspaced_script_counts_as_a_word() -> None:
    sample = Sample((Turn("user", "我想重新存一笔应急的钱。"), Turn("assistant", "每周存一点。" * 10)), "template")
    assert judge_length(sample).actual == "assistant 50, user 11 words per turn"
