"""Uniqueness: does the workspace hold a conversation that says nearly the same?"""

from conversations.quality.report import EMPTY_ADVICE, Flag, Judgement
from conversations.quality.sample import Sample
from conversations.quality.scale import interpolate
from conversations.quality.thresholds import DEFAULTS, Thresholds


def judge_uniqueness(sample: Sample, limits: Thresholds = DEFAULTS) -> Judgement:
    """Ten up to a similarity of 0.3, nothing from 0.9; a near duplicate (from 0.8) is a hard defect."""
    unique, copied = limits.similarity
    target = f"at most {unique:.0%} alike"
    if sample.is_empty:
        return Judgement("empty", target, 0.0, "There is nothing to compare yet.", EMPTY_ADVICE)
    similarity = sample.nearest_similarity
    finding, advice = _in_words(sample, limits)
    is_duplicate = similarity >= limits.near_duplicate_from
    return Judgement(
        actual=f"{similarity:.0%} alike",
        target=target,
        score=interpolate(similarity, ((unique, 10.0), (copied, 0.0))),
        finding=finding,
        advice=advice,
        concern="" if is_duplicate else "similar_conversation",
        defects=(Flag("near_duplicate", finding, hard=True),) if is_duplicate else (),
    )


def _in_words(sample: Sample, limits: Thresholds) -> tuple[str, str]:
    other = sample.nearest_id or "another conversation"
    if sample.nearest_similarity >= limits.near_duplicate_from:
        return (
            f"This is nearly the same conversation as {other}.",
            f"Keep the better one of the two, or regenerate this one with other words than {other}.",
        )
    if sample.nearest_similarity > limits.similarity.lowest:
        return (
            f"Many phrases also occur in {other}.",
            "Vary the situation, the questions or the wording so that the model sees something new.",
        )
    return "No other conversation of the workspace is close to this one.", ""
