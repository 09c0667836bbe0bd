"""Uniqueness: does the workspace hold a conversation that says nearly the same?"""

from conversations.quality.report import Flag, Judgement
from conversations.quality.sample import Sample
from conversations.quality.scale import interpolate
from conversations.quality.thresholds import NEAR_DUPLICATE_FROM, UNIQUE_UP_TO, UNIQUENESS_SCALE

_TARGET = f"at most {UNIQUE_UP_TO:.0%} alike"


def judge_uniqueness(sample: Sample) -> Judgement:
    """Ten up to a similarity of 0.3, nothing from 0.9; a near duplicate (from 0.8) is a hard defect."""
    if sample.is_empty:
        return Judgement("empty", _TARGET, 0.0, "There is nothing to compare yet.")
    similarity = sample.nearest_similarity
    finding, advice = _in_words(sample)
    is_duplicate = similarity >= NEAR_DUPLICATE_FROM
    return Judgement(
        actual=f"{similarity:.0%} alike",
        target=_TARGET,
        score=interpolate(similarity, UNIQUENESS_SCALE),
        finding=finding,
        advice=advice,
        concern="" if is_duplicate else "similar_conversation",
        defects=(Flag("near_duplicate", finding, hard=True),) if is_duplicate else (),
    )


def _in_words(sample: Sample) -> tuple[str, str]:
    other = sample.nearest_id or "another conversation"
    if sample.nearest_similarity >= NEAR_DUPLICATE_FROM:
        return (
            f"This is nearly the same conversation as {other}.",
            f"Keep the better one of the two, or regenerate this one with other words than {other}.",
        )
    if sample.nearest_similarity > UNIQUE_UP_TO:
        return (
            f"Many phrases also occur in {other}.",
            "Vary the situation, the questions or the wording so that the model sees something new.",
        )
    return "No other conversation of the workspace is close to this one.", ""
