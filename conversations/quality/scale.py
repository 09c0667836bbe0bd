"""From a measured value to a score: straight lines between given points."""

from collections.abc import Sequence
from itertools import pairwise


def interpolate(value: float, points: Sequence[tuple[float, float]]) -> float:
    """The score of `value` on the line through `points`: (value, score) ascending; flat beyond both ends."""
    if value <= points[0][0]:
        return points[0][1]
    for (left, left_score), (right, right_score) in pairwise(points):
        if value <= right:
            return left_score + (right_score - left_score) * (value - left) / (right - left)
    return points[-1][1]
