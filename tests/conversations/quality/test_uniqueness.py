import pytest

from conversations.quality import Sample, Turn
from conversations.quality.uniqueness import judge_uniqueness


def alike(similarity: float, other: str = "TPL-0007") -> Sample:
    return Sample((Turn("user", "Hello there."),), "template", nearest_similarity=similarity, nearest_id=other)


@pytest.mark.parametrize(
    ("similarity", "score"), [(0, 10), (0.3, 10), (0.45, 7.5), (0.6, 5), (0.75, 2.5), (0.9, 0), (1, 0)]
)
def test_the_score_falls_from_three_tenths_to_nine_tenths(similarity: float, score: float) -> None:
    assert judge_uniqueness(alike(similarity)).score == pytest.approx(score)


def test_a_near_duplicate_is_a_hard_defect_that_names_the_other_conversation() -> None:
    judgement = judge_uniqueness(alike(0.8))
    assert [(flag.name, flag.hard) for flag in judgement.defects] == [("near_duplicate", True)]
    assert "TPL-0007" in judgement.defects[0].message
    assert judgement.concern == ""


def test_just_below_a_near_duplicate_similarity_is_only_a_concern() -> None:
    judgement = judge_uniqueness(alike(0.79))
    assert judgement.defects == ()
    assert judgement.concern == "similar_conversation"
    assert "TPL-0007" in judgement.finding


def test_a_unique_conversation_needs_no_advice() -> None:
    judgement = judge_uniqueness(alike(0.12))
    assert (judgement.actual, judgement.target, judgement.advice) == ("12% alike", "at most 30% alike", "")


def test_an_unnamed_neighbour_is_called_another_conversation() -> None:
    assert "another conversation" in judge_uniqueness(alike(0.85, other="")).finding


@pytest.mark.parametrize("similarity", [-0.1, 1.1, float("nan")])
def test_an_impossible_similarity_is_refused(similarity: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        alike(similarity)
