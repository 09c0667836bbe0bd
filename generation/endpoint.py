"""Where Claude is: Anthropic, another Messages API server, or simulated Claude when there is no key."""

import hashlib
from dataclasses import dataclass

from django.conf import settings

from generation.simulated import launcher


@dataclass(frozen=True)
class Endpoint:
    base_url: str  # empty: Anthropic's own
    api_key: str
    requests_per_minute: int

    @property
    def limit_key(self) -> str:
        """What shares one request budget: everything that uses the same key at the same address."""
        return hashlib.sha256(f"{self.base_url}|{self.api_key}".encode()).hexdigest()[:32]


def endpoint() -> Endpoint:
    """The endpoint that the settings name. Without a key, simulated Claude: started here if it does not answer."""
    if settings.ANTHROPIC_API_KEY:
        return Endpoint(settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY, settings.RATE_LIMIT_RPM)
    return Endpoint(launcher.ensure_running(), launcher.API_KEY, settings.SIMULATED_RATE_LIMIT_RPM)


def is_simulated(model: str) -> bool:
    """Whether a reply's model name is simulated Claude's: that is how its data are marked, wherever it ran."""
    return model.startswith(launcher.MODEL_PREFIX)
