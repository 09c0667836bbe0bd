"""What is known of Claude's models: what they take, and when they end.

Which model exists is Anthropic's to say, and a new one works without a line here. This is what a person should hear
before a request is refused. Sources, as of November 2026: Anthropic's pages “Effort”, “Thinking” (its section on
sampling parameters) and “Model deprecations”, and `DEPRECATED_MODELS` of the anthropic SDK, with which a test compares.
"""

from dataclasses import dataclass
from datetime import date

from django.conf import settings

from conversations.choices import Effort

NO_EFFORT: frozenset[str] = frozenset()
UP_TO_HIGH = frozenset({Effort.LOW.value, Effort.MEDIUM.value, Effort.HIGH.value})
UP_TO_MAX = UP_TO_HIGH | {Effort.MAX.value}
EVERY_EFFORT = frozenset(Effort.values)


@dataclass(frozen=True)
class ModelFacts:
    """Whether a model takes temperature and top-p (under the older API version), and which effort."""

    sampling: bool = False
    efforts: frozenset[str] = EVERY_EFFORT


# By how an id begins, the most particular first. A model that is not listed takes what the present ones take.
FACTS: tuple[tuple[str, ModelFacts], ...] = (
    ("claude-opus-4-6", ModelFacts(sampling=True, efforts=UP_TO_MAX)),
    ("claude-sonnet-4-6", ModelFacts(sampling=True, efforts=UP_TO_MAX)),
    ("claude-mythos-preview", ModelFacts(efforts=UP_TO_MAX)),
    ("claude-opus-4-5", ModelFacts(sampling=True, efforts=UP_TO_HIGH)),
    ("claude-haiku-4-5", ModelFacts(sampling=True, efforts=NO_EFFORT)),
    ("claude-sonnet-4-5", ModelFacts(sampling=True, efforts=NO_EFFORT)),
)

RETIREMENTS = {
    "claude-1.3": date(2024, 11, 6),
    "claude-1.3-100k": date(2024, 11, 6),
    "claude-instant-1.1": date(2024, 11, 6),
    "claude-instant-1.1-100k": date(2024, 11, 6),
    "claude-instant-1.2": date(2024, 11, 6),
    "claude-3-sonnet-20240229": date(2025, 7, 21),
    "claude-3-opus-20240229": date(2026, 1, 5),
    "claude-2.1": date(2025, 7, 21),
    "claude-2.0": date(2025, 7, 21),
    "claude-3-7-sonnet-latest": date(2026, 2, 19),
    "claude-3-7-sonnet-20250219": date(2026, 2, 19),
    "claude-3-5-haiku-latest": date(2026, 2, 19),
    "claude-3-5-haiku-20241022": date(2026, 2, 19),
    "claude-opus-4-0": date(2026, 6, 15),
    "claude-opus-4-20250514": date(2026, 6, 15),
    "claude-sonnet-4-0": date(2026, 6, 15),
    "claude-sonnet-4-20250514": date(2026, 6, 15),
    "claude-mythos-preview": date(2026, 6, 30),
    "claude-sonnet-4-5": date(2026, 11, 30),
    "claude-sonnet-4-5-20250929": date(2026, 11, 30),
}


def facts_of(model: str) -> ModelFacts:
    """What a model takes. `SAMPLING_MODELS` adds models that take temperature and top-p."""
    known = next((facts for start, facts in FACTS if model.startswith(start)), ModelFacts())
    return ModelFacts(sampling=True, efforts=known.efforts) if model in settings.SAMPLING_MODELS else known


def end_of_life(model: str, *, today: date | None = None) -> str:
    """A sentence when Anthropic retires the model, or has retired it; else an empty text."""
    day = RETIREMENTS.get(model)
    if day is None:
        return ""
    when = f"{day:%d %B %Y}".lstrip("0")
    if day <= (today or date.today()):
        return f"Anthropic has retired {model} on {when}: requests fail. Choose another model."
    return f"Anthropic retires {model} on {when}. Choose another model before that day."
