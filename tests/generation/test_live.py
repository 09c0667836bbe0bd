"""One small conversation with the real Claude: `ANTHROPIC_API_KEY=… pytest --live -m live`. It costs a few cents."""

import os
from typing import Any

import pytest

from generation.drafts import Drafts
from generation.models import GenerationLog, RateState
from generation.preview import preview
from generation.service import generate
from tests.factories import ConversationFactory

# Read now: the settings of tests take a developer's own key away.
KEY = os.environ.get("ANTHROPIC_API_KEY", "")
BASE_URL = os.environ.get("ANTHROPIC_BASE_URL", "")
MODEL = os.environ.get("ANTHROPIC_MODEL", "claude-haiku-5-5")


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_the_real_claude_writes_a_conversation(settings: Any) -> None:
    if not KEY:
        pytest.skip("needs ANTHROPIC_API_KEY in the environment")
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_MODEL = KEY, BASE_URL, MODEL
    settings.GENERATION_FIRST_WAIT = 1.0
    draft = ConversationFactory(
        template__structure="Keep it very short: 4 turns of one or two sentences. The user is {{persona}}.",
        template__system_prompt="You write conversations with a calm adviser on personal finance.",
    )
    shown = preview(Drafts().load([draft.pk])[draft.pk])
    made = generate(draft.pk)
    assert made.status in ("generated", "pending_review")
    assert made.turn_count == made.turns.count() >= 2
    assert not made.simulated
    assert made.cost_usd > 0
    log = GenerationLog.objects.get(status="succeeded")
    assert log.request_id
    assert not log.price_assumed
    # Counting is an estimate, as Anthropic says; and it is read with the names of the present API.
    charged = log.input_tokens + log.cache_read_tokens + log.cache_write_tokens
    assert abs(shown.forecast.input_tokens - charged) <= 0.1 * charged
    assert RateState.objects.get().reported_requests, "the API's headers have told its limits"
