"""Required elements: does the assistant say what the curator required by name?"""

from conversations.quality.elements import in_words, missing_elements, stated_elements
from conversations.quality.report import EMPTY_ADVICE, Flag, Judgement
from conversations.quality.sample import Sample
from conversations.quality.thresholds import DEFAULTS, Thresholds


def judge_required_elements(sample: Sample, _limits: Thresholds = DEFAULTS) -> Judgement | None:
    """Ten times the share of the required elements that are said; each that is missing is named, whatever the score.

    None where nothing is required.
    """
    required = stated_elements(sample)
    if not required:
        return None
    target = f"all {len(required)}" if len(required) > 1 else "the one"
    if sample.is_empty:
        return Judgement("empty", target, 0.0, "There is nothing to look through yet.", EMPTY_ADVICE)
    missing = missing_elements(sample)
    present = len(required) - len(missing)
    named = ", ".join(in_words(element) for element in missing)
    finding = f"The assistant never mentions {named}." if missing else "The assistant says all that is required."
    return Judgement(
        actual=f"{present} of {len(required)}",
        target=target,
        score=10 * present / len(required),
        finding=finding,
        advice=f"Let the assistant bring up {named}, in these words." if missing else "",
        defects=(Flag("missing_elements", finding),) if missing else (),
    )
