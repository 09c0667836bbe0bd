"""Fixtures with which tests script simulated Claude: `listening`, `claude` and `start_claude`.

Load it in the `conftest.py` at the top of a project's tests:

    pytest_plugins = ["generation.simulated.pytest_plugin"]

Each test has servers of its own, on free ports of the loopback interface, which end with it.
`docs/simulated-claude.md` has examples.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from generation.simulated.behaviour import Behaviour
from generation.simulated.running import Listening, beside
from generation.simulated.server import SimulatedClaude

API_KEY = "test-key"  # any would do
REQUESTS_PER_MINUTE = 60_000  # our own limit, out of a test's way


@pytest.fixture
def start_claude() -> Iterator[Callable[..., Listening]]:
    """Starts a further server: `start_claude(latency=0.2, requests_per_minute=60)`, with any field of `Behaviour`.

    Unless told otherwise it answers at once, writes no weak conversations, and remembers every request. Its address
    is `.url`, itself `.claude`; no setting leads to it.
    """
    with ExitStack() as running:

        def start(**behaviour: Any) -> Listening:
            claude = SimulatedClaude(Behaviour(**{"latency": 0, "weak": 0, **behaviour}), remember=True)
            return running.enter_context(beside(claude))

        yield start


@pytest.fixture
def listening(settings: Any, start_claude: Callable[..., Listening]) -> Listening:
    """A simulated Claude that answers at once, and settings that lead to it."""
    started = start_claude()
    settings.ANTHROPIC_API_KEY = API_KEY
    settings.ANTHROPIC_BASE_URL = started.url
    settings.RATE_LIMIT_RPM = REQUESTS_PER_MINUTE
    return started


@pytest.fixture
def claude(listening: Listening) -> SimulatedClaude:
    """The simulated Claude itself: script its faults, count its requests."""
    return listening.claude
