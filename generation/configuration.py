"""How Claude is asked: model, longest reply, effort, and sampling where the model still takes it.

Each value comes from the first that sets it: the run (a batch, a command), the template, the workspace, the settings.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings

from conversations.choices import Effort
from conversations.models import PromptTemplate, Workspace
from conversations.models.configuration import CONFIGURATION, Configured
from generation.errors import ConfigurationInvalid
from generation.model_catalogue import facts_of

LONGEST_UNSTREAMED = 21_333  # tokens: above, the API insists on streaming, which we do not do
SAMPLING = ("temperature", "top_p")


@dataclass(frozen=True)
class Overrides:
    """What one run sets for itself; what is left empty is decided by template, workspace and settings."""

    model: str = ""
    max_tokens: int | None = None  # tokens
    effort: str = ""
    temperature: Decimal | None = None  # 0 to 1
    top_p: Decimal | None = None  # 0 to 1


@dataclass(frozen=True)
class Configuration:
    """The values that hold for one request, and `origins`: who set each, in words."""

    model: str
    max_tokens: int
    effort: str = ""
    temperature: Decimal | None = None
    top_p: Decimal | None = None
    origins: dict[str, str] = field(default_factory=dict, compare=False)

    def problems(self) -> dict[str, str]:
        """What does not go together, by field, each with what to do; empty when all is well."""
        facts = facts_of(self.model)
        found: dict[str, str] = {}
        if self.max_tokens < 1:
            found["max_tokens"] = f"{self._said('max_tokens')} leaves no room for a reply: set 1 or more."
        if self.max_tokens > LONGEST_UNSTREAMED:
            found["max_tokens"] = (
                f"{self._said('max_tokens')} is more than the {LONGEST_UNSTREAMED:,} tokens that a reply may have here."
            )
        if self.effort and self.effort not in facts.efforts:
            taken = " or ".join(effort for effort in Effort.values if effort in facts.efforts)
            found["effort"] = f"{self._said('effort')} is not taken by {self._said('model')}: " + (
                f"choose {taken}." if taken else "leave effort empty, or choose another model."
            )
        for name in SAMPLING:
            if getattr(self, name) is not None and not facts.sampling:
                found[name] = (
                    f"{self._said(name)} is not taken by {self._said('model')}: only older models such as "
                    f"claude-sonnet-4-6 take it. Leave {_LABELS[name]} empty, or choose such a model."
                )
        if not found and self.temperature is not None and self.top_p is not None:
            found["top_p"] = "Claude takes temperature or top-p, not both. Leave one of them empty."
        return found

    def in_words(self) -> str:
        """`claude-sonnet-5-5 (this run), max tokens 16,000 (…), effort low (workspace “Practice”)`, for people."""
        parts = [self._said("model"), self._said("max_tokens")]
        parts += [self._said(name) for name in ("effort", *SAMPLING) if getattr(self, name) not in ("", None)]
        return ", ".join(parts)

    def check(self) -> None:
        """Raise `ConfigurationInvalid` when the values do not go together."""
        if problems := self.problems():
            raise ConfigurationInvalid(" ".join(problems.values()))

    def as_request(self) -> dict[str, Any]:
        """The members of a Messages API request that this decides; effort goes into its `output_config`."""
        sampling = {name: float(value) for name in SAMPLING if (value := getattr(self, name)) is not None}
        return {"model": self.model, "max_tokens": self.max_tokens, **sampling}

    def _said(self, name: str) -> str:
        """`temperature 0.7 (template “Grief”)`."""
        named, origin = _named(name, getattr(self, name)), self.origins.get(name)
        return f"{named} ({origin})" if origin else named


_LABELS = {"max_tokens": "max tokens", "effort": "effort", "temperature": "temperature", "top_p": "top-p"}


def configuration_of(levels: Iterable[Configured | Overrides | None]) -> Configuration:
    """The configuration that holds, from the level that is asked first to the last; then the settings.

    The levels are a run, a template and a workspace, in this order; any may be missing. Nothing is checked.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for level in levels:
        for name in CONFIGURATION if level else ():
            value = getattr(level, name)
            if name not in values and value not in ("", None):
                values[name], origins[name] = value, _origin(level)
    defaults = {
        "model": (settings.ANTHROPIC_MODEL, "setting ANTHROPIC_MODEL"),
        "max_tokens": (settings.ANTHROPIC_MAX_TOKENS, "setting ANTHROPIC_MAX_TOKENS"),
        "effort": (settings.ANTHROPIC_EFFORT, "setting ANTHROPIC_EFFORT"),
    }
    for name, (value, setting) in defaults.items():
        if name not in values:
            values[name], origins[name] = value, setting
    return Configuration(**values, origins=origins)


def overrides_in_words(level: Configured | Overrides) -> str:
    """What one level sets, `claude-sonnet-4-6, temperature 0.70`; an empty text when it sets nothing."""
    given = {name: value for name in CONFIGURATION if (value := getattr(level, name)) not in ("", None)}
    return ", ".join(_named(name, value) for name, value in given.items())


def _named(name: str, value: Any) -> str:
    words = f"{value:,}" if isinstance(value, int) else str(value)
    return words if name == "model" else f"{_LABELS[name]} {words}"


def _origin(level: Configured | Overrides | None) -> str:
    if isinstance(level, PromptTemplate):
        return f"template “{level.name}”"
    if isinstance(level, Workspace):
        return f"workspace “{level.name}”"
    return "this run"
