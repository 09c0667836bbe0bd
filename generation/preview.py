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
from generation.request import build_request, descriptions


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
