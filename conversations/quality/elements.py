"""Required elements: what the assistant must say; each may hold alternatives, separated by `|`."""

from conversations.quality.sample import Sample
from conversations.quality.words import words_of


def stated_elements(sample: Sample) -> tuple[str, ...]:
    """The required elements that name something; blank lines are dropped."""
    return tuple(element for element in sample.required_elements if _alternatives(element))


def missing_elements(sample: Sample) -> tuple[str, ...]:
    """Required elements of which no alternative occurs in an assistant turn, as whole words, in any case."""
    return tuple(element for element in stated_elements(sample) if not _is_present(element, sample))


def share_present(sample: Sample) -> float:
    """Share (0–1) of the required elements that are present; 1 when none is required."""
    stated = stated_elements(sample)
    return 1 - len(missing_elements(sample)) / len(stated) if stated else 1.0


def in_words(element: str) -> str:
    """The element as a reader says it: “emergency fund” or “rainy-day fund”."""
    return " or ".join(f"“{alternative}”" for alternative in _alternatives(element))


def _alternatives(element: str) -> list[str]:
    return [alternative.strip() for alternative in element.split("|") if alternative.strip()]


def _is_present(element: str, sample: Sample) -> bool:
    return any(_is_said(alternative, sample) for alternative in _alternatives(element))


def _is_said(alternative: str, sample: Sample) -> bool:
    words = words_of(alternative)
    if words:
        return f" {' '.join(words)} " in sample.answered
    # Signs alone, such as "€", have no words.
    return any(alternative in turn.content for turn in sample.by_role("assistant"))
