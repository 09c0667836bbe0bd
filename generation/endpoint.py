"""Where Claude is: Anthropic, another Messages API server, or simulated Claude when there is no key."""

import hashlib
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.conf import settings

from generation.simulated import launcher

ANTHROPIC = "api.anthropic.com"


@dataclass(frozen=True)
class Endpoint:
    base_url: str  # empty: Anthropic's own
    api_key: str
    requests_per_minute: int
    input_tokens_per_minute: int = 0  # 0: as the replies' headers say
    output_tokens_per_minute: int = 0  # the same

    @property
    def address(self) -> str:
        """The server's name, for people."""
        return urlsplit(self.base_url).hostname or self.base_url or ANTHROPIC

    @property
    def simulated(self) -> bool | None:
        """Whether simulated Claude answers there; None for a server of somebody's own, whose replies tell."""
        if self.api_key == launcher.API_KEY:
            return True
        return None if self.base_url else False

    @property
    def limit_key(self) -> str:
        """What shares one request budget: everything that uses the same key at the same address."""
        address = "" if self.api_key == launcher.API_KEY else self.base_url  # it has another port at each start
        return hashlib.sha256(f"{address}|{self.api_key}".encode()).hexdigest()[:32]


def endpoint() -> Endpoint:
    """The endpoint that the settings name. Without a key, simulated Claude: started here if it does not answer."""
    named = named_endpoint()
    return named if settings.ANTHROPIC_API_KEY else replace(named, base_url=launcher.ensure_running())


def named_endpoint() -> Endpoint:
    """The same without starting anything: simulated Claude's address stays empty."""
    if settings.ANTHROPIC_API_KEY:
        return Endpoint(
            settings.ANTHROPIC_BASE_URL,
            settings.ANTHROPIC_API_KEY,
            settings.RATE_LIMIT_RPM,
            settings.RATE_LIMIT_INPUT_TPM,
            settings.RATE_LIMIT_OUTPUT_TPM,
        )
    return Endpoint("", launcher.API_KEY, settings.SIMULATED_RATE_LIMIT_RPM)


def is_simulated(model: str) -> bool:
    """Whether a reply's model name is simulated Claude's: that is how its data are marked, wherever it ran."""
    return model.startswith(launcher.MODEL_PREFIX)
