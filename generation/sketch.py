"""A draft's prompt while somebody still chooses what it is made with: what is missing is marked, and not refused.

Claude is not asked for it, so it can be drawn anew at every change: tokens are reckoned from the texts' lengths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conversations.models import Conversation, PromptTemplate
from generation.errors import ConfigurationInvalid, PromptUnresolved
from generation.forecast import Forecast, expected_reply, prompt_tokens
from generation.history import Asked
from generation.preview import prepared
from generation.prompts import PromptError, Segment, UnresolvedPrompt
from generation.prompts import preview as segments_of
from generation.request import additions, brief_of, descriptions, own_values, sources_of, texts_of, variables_of


@dataclass(frozen=True)
class Sketch:
    """What Claude would read: the template's texts in segments, and what is added to them."""

    structure: Sequence[Segment] = ()
    system: Sequence[Segment] = ()
    brief: str = ""  # behind the structure
    additions: str = ""  # behind the system prompt
    problems: Mapping[str, str] = field(default_factory=dict)  # names of values, and what is wrong with each
    trouble: str = ""  # what no value can mend: the template cannot be read, settings do not go together
    configuration: str = ""  # how Claude would be asked, in words
    forecast: Forecast | None = None  # where nothing is wrong

    @property
    def complete(self) -> bool:
        return not (self.problems or self.trouble)


def sketch(draft: Conversation) -> Sketch:
    """The sketch of a draft that need not be saved."""
    template = draft.template
    if template is None:
        return Sketch(trouble="The template was deleted: there is nothing left that Claude could be asked.")
    texts = _segments(draft, template)
    try:
        configuration, request = prepared(draft)
    except ConfigurationInvalid as error:
        return Sketch(**texts, trouble=str(error))
    except PromptUnresolved as error:
        return Sketch(**texts, **_wrong_in(error))
    expected = expected_reply(draft, Asked.by(configuration))
    forecast = Forecast(configuration.model, prompt_tokens(request), expected)
    return Sketch(**texts, configuration=configuration.in_words(), forecast=forecast)


def _segments(draft: Conversation, template: PromptTemplate) -> dict[str, Any]:
    """None of a template that cannot be read: whoever asks for the request is told why."""
    own = own_values(draft, descriptions(draft.workspace_id))
    sources, texts = list(sources_of(draft, own).values()), texts_of(template)
    try:
        variables = variables_of(template)
        drawn = {name: segments_of(text, variables=variables, sources=sources) for name, text in texts.items()}
    except PromptError:
        return {}
    return {
        "structure": drawn["structure"],
        "system": drawn["system_prompt"],
        "brief": brief_of(draft, own),
        "additions": additions(template),
    }


def problems_of(error: PromptUnresolved) -> dict[str, str]:
    """What is wrong with each value, by its name; none where it is no value that is wrong."""
    cause = error.__cause__
    if not isinstance(cause, UnresolvedPrompt):
        return {}
    missing = {each.name: "The prompt needs a value here." for each in cause.missing}
    return {**missing, **{each.name: f"{each}." for each in cause.invalid}}


def _wrong_in(error: PromptUnresolved) -> dict[str, Any]:
    problems = problems_of(error)
    return {"problems": problems} if problems else {"trouble": str(error)}
