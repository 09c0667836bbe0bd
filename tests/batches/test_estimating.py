"""What a batch is foreseen to cost: by its templates' history, by their tiers', and by constants."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from batches.choices import Delivery
from batches.estimating import Estimate, GroupEstimate
from batches.expecting import Source
from batches.planning import Order, propose
from conversations.models import PromptTemplate, Workspace
from generation.configuration import Overrides
from generation.models import GenerationLog
from tests.factories import ConversationFactory, GenerationLogFactory, PromptTemplateFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

MODEL = "claude-sonnet-5-5"  # $2 in and $10 out per million tokens; written to the cache 2.5, read from it 0.1
LIVE = {"model": MODEL, "system": [{"type": "text", "text": "…", "cache_control": {"type": "ephemeral"}}]}


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def template(workspace: Workspace) -> PromptTemplate:
    """With ten drafts."""
    template: PromptTemplate = PromptTemplateFactory(workspace=workspace)
    ConversationFactory.create_batch(10, workspace=workspace, template=template)
    return template


def log(template: PromptTemplate, number: int = 5, **values: Any) -> None:
    made = ConversationFactory(workspace=template.workspace, template=template, status="generated")
    usage = {"input_tokens": 1_000, "output_tokens": 2_000, "duration_ms": 30_000}
    told = {"conversation": made, "template": template, "model": f"simulated-{MODEL}", "request": LIVE}
    GenerationLogFactory.create_batch(number, **{**told, **usage, **values})


def estimated(workspace: Workspace, **order: Any) -> Estimate:
    return propose(Order(workspace, selection="drafts", **order)).estimate


def alone(estimate: Estimate) -> GroupEstimate:
    (group,) = estimate.groups
    return group


def test_a_templates_own_replies_tell_it_best(workspace: Workspace, template: PromptTemplate) -> None:
    log(template)
    estimate = estimated(workspace)
    assert alone(estimate).source is Source.TEMPLATE
    assert estimate.usd("live").likely == Decimal("0.22")  # 10 × (1,000 in, 2,000 out)
    assert estimate.usd("economy").likely == Decimal("0.11")
    assert estimate.known == 1


def test_the_high_end_reckons_with_one_in_ten_that_is_tried_again(
    workspace: Workspace, template: PromptTemplate
) -> None:
    log(template)  # all alike: nothing else is in doubt
    usd = estimated(workspace).usd("live")
    assert (usd.low, usd.high) == (usd.likely, usd.likely * Decimal("1.1"))


def test_what_varies_is_in_doubt(workspace: Workspace, template: PromptTemplate) -> None:
    log(template, 3, output_tokens=1_000)
    log(template, 3, output_tokens=3_000)
    usd = estimated(workspace).usd("live")
    assert usd.low < Decimal("0.17") < usd.likely == Decimal("0.22") < Decimal("0.27") < usd.high


def test_attempts_that_were_paid_for_in_vain_are_foreseen(workspace: Workspace, template: PromptTemplate) -> None:
    for run in (uuid4(), uuid4(), uuid4()):
        log(template, 1, run_id=run, status="failed")
        log(template, 1, run_id=run, attempt=2)
    log(template, 3)
    assert estimated(workspace).usd("live").likely == Decimal("0.33")  # one and a half for each conversation


def test_the_first_of_a_template_write_the_prompt_cache_and_economy_has_none(
    workspace: Workspace, template: PromptTemplate
) -> None:
    log(template, cache_read_tokens=4_000)
    warm = estimated(workspace, concurrency=3).usd("live").likely
    assert warm == Decimal("0.224")  # each reads 4,000 tokens for $0.0004
    GenerationLog.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    cold = estimated(workspace, concurrency=3).usd("live").likely
    assert cold == warm + 3 * Decimal("0.0096")  # three write them side by side, for $0.01
    assert estimated(workspace).usd("economy").likely == Decimal("0.15")  # half of 5,000 in, 2,000 out


def test_a_template_without_replies_goes_by_its_tiers_and_its_own_length(
    workspace: Workspace, template: PromptTemplate
) -> None:
    log(PromptTemplateFactory(workspace=workspace), output_tokens=3_000, input_tokens=90_000)
    group = alone(estimated(workspace))
    assert group.source is Source.TIER
    assert group.output_tokens == 30_000
    assert group.input_tokens < 10_000, "another template's prompts are of another length"


def test_one_attempt_of_its_own_tells_how_long_a_templates_prompts_are(
    workspace: Workspace, template: PromptTemplate
) -> None:
    log(PromptTemplateFactory(workspace=workspace), output_tokens=3_000, input_tokens=90_000)
    log(template, 1, input_tokens=1_000, cache_read_tokens=500, output_tokens=9_000)
    group = alone(estimated(workspace))
    assert group.source is Source.TIER
    assert group.input_tokens == 15_000
    assert group.output_tokens == 40_000, "a sixth of the tier's replies is its own"


def test_without_any_replies_it_goes_by_lengths_with_a_wide_range(
    workspace: Workspace, template: PromptTemplate
) -> None:
    estimate = estimated(workspace)
    usd = estimate.usd("live")
    assert alone(estimate).source is Source.NOTHING
    assert estimate.known == 0
    assert usd.low * 2 < usd.likely < usd.high / 2
    assert alone(estimate).input_tokens > 2_000  # how to write is told to each of the ten


@pytest.mark.parametrize("other", [{"model": MODEL}, {"request": {**LIVE, "model": "claude-opus-5-5"}}], ids=str)
def test_other_models_and_the_real_claude_tell_nothing(
    workspace: Workspace, template: PromptTemplate, other: dict[str, Any]
) -> None:
    log(template, **other)
    assert alone(estimated(workspace)).source is Source.NOTHING


def test_the_batchs_model_is_the_one_that_is_priced(workspace: Workspace, template: PromptTemplate) -> None:
    log(template, request={**LIVE, "model": "claude-opus-5-5"}, model="simulated-claude-opus-5-5-20260101")
    assert estimated(workspace, overrides=Overrides(model="claude-opus-5-5")).known == 1


def test_the_time_is_that_of_its_calls_in_flight(settings: Any, workspace: Workspace, template: PromptTemplate) -> None:
    log(template)
    assert estimated(workspace, concurrency=1).live_seconds.likely == 300
    assert estimated(workspace, concurrency=10).live_seconds.likely == pytest.approx(43.5)
    assert estimated(workspace, concurrency=1).live_seconds.high == pytest.approx(330)
    assert estimated(workspace).seconds("economy").likely == 3_600


def test_without_replies_one_takes_twenty_seconds_and_a_simulated_one_what_the_setting_says(
    settings: Any, workspace: Workspace, template: PromptTemplate
) -> None:
    settings.SIMULATED_CLAUDE_LATENCY = 0.5
    assert estimated(workspace, concurrency=1).live_seconds.likely == 5
    settings.ANTHROPIC_API_KEY = "a-key"
    assert estimated(workspace, concurrency=1).live_seconds.likely == 200


def test_as_json_it_holds_both_deliveries(workspace: Workspace, template: PromptTemplate) -> None:
    log(template)
    said = estimated(workspace).as_json()
    assert (said["conversations"], said["simulated"], said["known_from_history"]) == (10, True, 1.0)
    assert said["tokens"] == {"input": 10_000, "output": 20_000}
    assert said["live"]["cost_usd"]["likely"] == "0.220000"
    assert set(said) >= set(Delivery.values)
    assert said["economy"]["seconds"] == {"low": 0.0, "likely": 3_600.0, "high": 86_400.0}
