"""A look at what a draft would send, before anything is sent or spent."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from conversations.models import Conversation
from convgen.database.threads import let_go_of_connections
from generation.claude import Claude
from generation.configuration import Configuration, Overrides, configuration_of
from generation.endpoint import endpoint
from generation.forecast import Forecast, expected_reply
from generation.history import Asked
from generation.prompts import parse
from generation.prompts.values import find_value, readable_text
from generation.request import build_request, descriptions, own_values, sources_of, texts_of, variables_of


@dataclass(frozen=True)
class Preview:
    """The texts that Claude would read, how it would be asked, and what that will probably take."""

    system: str
    prompt: str
    configuration: Configuration
    forecast: Forecast

    def as_json(self) -> dict[str, Any]:
        return {
            "system": self.system,
            "prompt": self.prompt,
            "configuration": self.configuration.in_words(),
            **self.forecast.as_json(),
        }


@dataclass(frozen=True)
class UsedValue:
    """What a name stood for in a template's texts, and where that came from."""

    name: str
    value: str  # as it reads in the prompt, but for tags; empty where nothing was given
    origin: str  # parameters, conversation, source, default or nothing; run, with those of one run
    declared: bool  # whether it is one of the template's variables


def preview(
    draft: Conversation, *, parameters: Mapping[str, object] | None = None, overrides: Overrides | None = None
) -> Preview:
    """Resolve a draft's prompt and have its tokens counted, which costs nothing. The draft need not be saved.

    Raises `PromptUnresolved`, `ConfigurationInvalid`, and what counting raises when Claude cannot be asked.
    """
    configuration, request = prepared(draft, parameters=parameters, overrides=overrides)
    expected = expected_reply(draft, Asked.by(configuration))
    let_go_of_connections()
    forecast = Forecast(configuration.model, asyncio.run(_count(request)), expected)
    return Preview(request["system"][0]["text"], request["messages"][0]["content"], configuration, forecast)


def prepared(
    draft: Conversation, *, parameters: Mapping[str, object] | None = None, overrides: Overrides | None = None
) -> tuple[Configuration, dict[str, Any]]:
    """How Claude would be asked, and the request. Raises `PromptUnresolved`, `ConfigurationInvalid`."""
    configuration = configuration_of([overrides, draft.template, draft.workspace])
    described = descriptions(draft.workspace_id)
    return configuration, build_request(draft, configuration=configuration, described=described, parameters=parameters)


async def _count(request: dict[str, Any]) -> int:
    async with Claude(endpoint(), timeout=settings.ANTHROPIC_TIMEOUT) as claude:
        return await claude.count_tokens(request)


def used_values(draft: Conversation, *, parameters: Mapping[str, object] | None = None) -> list[UsedValue]:
    """Every name in the template's texts, in order of first use, with the value that it has for this draft.

    Raises `PromptError` where the template cannot be read.
    """
    template = draft.template
    if template is None:
        return []
    declared = {variable.name: variable for variable in variables_of(template)}
    sources = sources_of(draft, own_values(draft, descriptions(draft.workspace_id)), parameters=parameters)
    defaults = {name: variable.default for name, variable in declared.items() if variable.default}
    names = dict.fromkeys(name for text in texts_of(template).values() for name in parse(text).names)
    return [_used(name, {**sources, "default": defaults}, declared=name in declared) for name in names]


def _used(name: str, sources: Mapping[str, Mapping[str, object]], *, declared: bool) -> UsedValue:
    for origin, values in sources.items():
        if (value := find_value(name, [values])) is not None:
            return UsedValue(name, readable_text(value), origin, declared)
    return UsedValue(name, "", "nothing", declared)
