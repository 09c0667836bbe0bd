"""The thresholds in force: the defaults, and what the setting `QUALITY_THRESHOLDS` says instead."""

import json
from collections.abc import Callable
from dataclasses import Field, fields, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from conversations.quality.thresholds import DEFAULTS, Kind, Range, Thresholds

SUMS_TO = 1e-9  # how far a sum of binary fractions may miss
WEIGHTS = [one.name for one in fields(Thresholds) if one.name.endswith("_weight")]
FORM_POINTS = ["user_first_points", "assistant_last_points", "alternation_points", "nothing_empty_points"]
# The signals that every conversation has: without any of them, some would have none.
ALWAYS_SEEN = ["leftovers_signal", "machine_signal", "finished_signal", "repeated_signal"]


class Problem(NamedTuple):
    """What is wrong with the setting, and what to do."""

    sentence: str
    hint: str


def thresholds_in_force() -> Thresholds:
    """Raises ImproperlyConfigured, naming every problem, where the setting cannot work."""
    return _read(json.dumps(settings.QUALITY_THRESHOLDS, sort_keys=True))


@lru_cache(maxsize=16)
def _read(overrides: str) -> Thresholds:
    """By the value and not once for all, so that a changed setting counts at once."""
    thresholds, problems = overridden(json.loads(overrides))
    if problems:
        raise ImproperlyConfigured(" ".join(problem.sentence for problem in problems))
    return thresholds


def overridden(overrides: Any) -> tuple[Thresholds, list[Problem]]:
    """The defaults with the overrides, `{"review_below": 6.5, "turns_target": [6, 14]}`, and all that is wrong."""
    if not isinstance(overrides, dict):
        hint = 'Set it to names with numbers, such as {"review_below": 6.5, "turns_target": [6, 14]}.'
        return DEFAULTS, [Problem("QUALITY_THRESHOLDS is no JSON object.", hint)]
    known = {threshold.name: threshold for threshold in fields(Thresholds)}
    values: dict[str, Any] = {}
    problems = []
    for name, given in overrides.items():
        if name not in known:
            problems.append(Problem(f"QUALITY_THRESHOLDS names “{name}”, which no rule uses.", _NAMES))
        elif hint := _misfit(known[name], given):
            problems.append(Problem(f"{name} in QUALITY_THRESHOLDS is {json.dumps(given)}, which cannot work.", hint))
        else:
            values[name] = Range(*given) if isinstance(given, list) else given
    thresholds = replace(DEFAULTS, **values)
    # Between thresholds that are no numbers there is nothing to compare.
    return thresholds, problems or [problem for fits, problem in _BETWEEN if not fits(thresholds)]


_NAMES = "Use the names that docs/quality.md lists, or leave it out."


def _misfit(threshold: "Field[Any]", given: Any) -> str:
    """What the value should be, where it is not; else nothing."""
    kind: Kind = threshold.metadata["kind"]
    span = f"{kind.low:g} to {kind.high:g} ({kind.unit})"
    sort = "whole number" if kind.whole else "number"
    if not isinstance(threshold.default, Range):
        return "" if _fits(given, kind) else f"Set {threshold.name} to a {sort} from {span}."
    if (
        isinstance(given, list)
        and len(given) == 2
        and all(_fits(bound, kind) for bound in given)
        and given[0] <= given[1]
    ):
        return ""
    return f"Set {threshold.name} to a list of two {sort}s, the lower bound first, from {span}."


def _fits(given: Any, kind: Kind) -> bool:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return False
    return kind.low <= given <= kind.high and not (kind.whole and given != int(given))


def _sum(thresholds: Thresholds, names: list[str]) -> float:
    return float(sum(getattr(thresholds, name) for name in names))


def _ascending(*bounds: float) -> bool:
    return all(left < right for left, right in pairwise(bounds))


def _turns_ascend(limits: Thresholds) -> bool:
    below = _ascending(limits.turns_nothing.lowest, limits.turns_half.lowest, limits.turns_target.lowest)
    return below and _ascending(limits.turns_target.highest, limits.turns_half.highest, limits.turns_nothing.highest)


# What must hold between thresholds, whichever of them are overridden.
_BETWEEN: list[tuple[Callable[[Thresholds], bool], Problem]] = [
    (
        lambda limits: abs(_sum(limits, WEIGHTS) - 1) < SUMS_TO,
        Problem(
            "The weights in QUALITY_THRESHOLDS, with the defaults of those that it leaves out, do not sum to 1.",
            f"Set {', '.join(WEIGHTS)} so that they do.",
        ),
    ),
    (
        lambda limits: limits.required_elements_weight < 1,
        Problem(
            "required_elements_weight in QUALITY_THRESHOLDS is 1: where nothing is required, nothing would be scored.",
            "Set it below 1, and give the rest to the other weights.",
        ),
    ),
    (
        lambda limits: abs(_sum(limits, FORM_POINTS) - 10) < SUMS_TO,
        Problem(
            "The points for structure in QUALITY_THRESHOLDS do not sum to 10.",
            f"Set {', '.join(FORM_POINTS)} so that they do.",
        ),
    ),
    (
        lambda limits: _sum(limits, ALWAYS_SEEN) > 0,
        Problem(
            "QUALITY_THRESHOLDS takes away all signals of confidence that every conversation has.",
            f"Set one of {', '.join(ALWAYS_SEEN)} above 0.",
        ),
    ),
    (
        _turns_ascend,
        Problem(
            "The ranges of turns in QUALITY_THRESHOLDS do not lie within each other.",
            "turns_half must lie outside turns_target, and turns_nothing outside turns_half.",
        ),
    ),
    (
        lambda limits: limits.short_nothing_share < 1 < limits.long_nothing_times,
        Problem(
            "short_nothing_share or long_nothing_times in QUALITY_THRESHOLDS is 1, so that no length scores in part.",
            "Set the share below 1 and the times above 1.",
        ),
    ),
    (
        lambda limits: limits.low_confidence_below <= limits.high_confidence_above,
        Problem(
            "low_confidence_below in QUALITY_THRESHOLDS is above high_confidence_above.",
            "Set it to the same or less.",
        ),
    ),
    (
        lambda limits: min(limits.topic_enough, limits.source_enough) > 0,
        Problem(
            "topic_enough or source_enough in QUALITY_THRESHOLDS is 0, of which nothing is a share.",
            "Set it above 0; to leave a signal out, set topic_signal or source_signal to 0.",
        ),
    ),
    (
        lambda limits: limits.similarity.lowest < limits.similarity.highest,
        Problem(
            "The bounds of similarity in QUALITY_THRESHOLDS are the same.",
            "Set the upper bound above the lower one.",
        ),
    ),
]
