"""What one conversation will probably take."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from conversations.models import Conversation
from generation.forecast import Expected, Forecast, expected_reply
from generation.history import Asked
from generation.models import GenerationLog
from tests.factories import ConversationFactory, GenerationLogFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db
MODEL = "claude-sonnet-5-5"
SIMULATED = f"simulated-{MODEL}"  # as it names itself in replies; without a key, it is what answers


@pytest.fixture
def draft() -> Conversation:
    return ConversationFactory()


def replies(draft: Conversation, *tokens: int, days_ago: int = 0, **log: object) -> None:
    for number in tokens:
        values = {"conversation": draft, "template": draft.template, "model": SIMULATED, "output_tokens": number, **log}
        row = GenerationLogFactory(**values)
        GenerationLog.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days_ago))


def test_without_replies_it_is_what_scores_best_in_the_tier(draft: Conversation) -> None:
    """4 exchanges of 48 words, 6 of 149, 8 of 250; 1.8 tokens each."""
    assert expected_reply(draft, Asked(MODEL)) == Expected(low=346, likely=1_609, high=3_600, replies=0)


def test_harder_tiers_take_more(draft: Conversation) -> None:
    likely = [
        expected_reply(ConversationFactory.build(tier=tier, template=None), Asked(MODEL)).likely
        for tier in ("template", "scenario", "edge_case")
    ]
    assert likely == sorted(set(likely))


def test_five_replies_of_the_template_are_enough_to_go_by(draft: Conversation) -> None:
    replies(draft, 1_000, 1_100, 1_200, 1_300)
    assert expected_reply(draft, Asked(MODEL)).replies == 0
    replies(draft, 1_400)
    assert expected_reply(draft, Asked(MODEL)) == Expected(low=1_040, likely=1_200, high=1_360, replies=5)


def test_only_the_latest_fifty_count(draft: Conversation) -> None:
    replies(draft, *[9_000] * 10, days_ago=5)
    replies(draft, *[1_000] * 50)
    assert expected_reply(draft, Asked(MODEL)) == Expected(1_000, 1_000, 1_000, replies=50)


def test_other_templates_models_and_failures_do_not_count(draft: Conversation) -> None:
    replies(draft, *[9_000] * 5, template=PromptTemplateFactory(workspace=draft.workspace))
    replies(draft, *[9_000] * 5, model="simulated-claude-opus-5-5")
    replies(draft, *[9_000] * 5, status="failed")
    assert expected_reply(draft, Asked(MODEL)).replies == 0


def test_what_the_real_claude_wrote_says_nothing_about_the_simulated_one_nor_the_other_way_round(
    draft: Conversation, settings: Any
) -> None:
    replies(draft, *[1_000] * 5, model=MODEL)
    assert expected_reply(draft, Asked(MODEL)).replies == 0
    settings.ANTHROPIC_API_KEY = "a-key"
    assert expected_reply(draft, Asked(MODEL)).likely == 1_000
    replies(draft, *[9_000] * 5)
    assert expected_reply(draft, Asked(MODEL)).likely == 1_000


def test_of_a_server_of_ones_own_the_newest_reply_tells_whether_it_is_simulated(
    draft: Conversation, settings: Any
) -> None:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = "a-key", "http://claude.example.com"
    replies(draft, *[1_000] * 5, model=MODEL, days_ago=1)
    assert expected_reply(draft, Asked(MODEL)).likely == 1_000
    replies(draft, *[9_000] * 5)
    assert expected_reply(draft, Asked(MODEL)).likely == 9_000


def test_the_model_that_was_asked_for_counts_not_the_name_that_answered(draft: Conversation) -> None:
    replies(draft, *[1_000] * 5, model=f"{SIMULATED}-20261001", request={"model": MODEL})
    assert expected_reply(draft, Asked(MODEL)).likely == 1_000


def test_other_effort_is_another_question(draft: Conversation) -> None:
    replies(draft, *[9_000] * 5, request={"model": MODEL, "output_config": {"effort": "max"}})
    assert expected_reply(draft, Asked(MODEL)).replies == 0
    assert expected_reply(draft, Asked(MODEL, "max")).likely == 9_000


def test_the_cost_is_a_range_in_usd() -> None:
    forecast = Forecast(MODEL, input_tokens=1_000, output=Expected(100, 1_000, 10_000, replies=9))
    assert (forecast.lowest_usd, forecast.cost_usd) == (Decimal("0.003"), Decimal("0.012"))
    assert forecast.highest_usd == Decimal("0.102")
    assert not forecast.price_assumed
    assert Forecast("claude-x", 1, forecast.output).price_assumed
