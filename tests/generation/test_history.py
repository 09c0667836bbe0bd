"""What the log's latest attempts tell of the next ones."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation
from generation.history import RECENT, Asked, Experience, History, Mean
from tests.factories import ConversationFactory, GenerationLogFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db

MODEL = "claude-sonnet-5-5"
ASKED = Asked(MODEL)
LIVE = {"model": MODEL, "system": [{"type": "text", "text": "…", "cache_control": {"type": "ephemeral"}}]}
ECONOMY = "msgbatch_1"


@pytest.fixture
def draft() -> Conversation:
    return ConversationFactory(template__tier="scenario")


def log(draft: Conversation, **values: Any) -> None:
    GenerationLogFactory(
        **{
            "conversation": draft,
            "template": draft.template,
            "model": f"simulated-{MODEL}",
            "request": LIVE,
            "input_tokens": 100,
            "output_tokens": 1_000,
            "duration_ms": 2_000,
            **values,
        }
    )


def known(draft: Conversation) -> Experience:
    return History(draft.workspace_id, [draft.template_id]).of_template(draft.template_id, ASKED)


def test_attempts_that_were_paid_for_in_vain_count_for_their_conversation(draft: Conversation) -> None:
    run = uuid4()
    log(draft, run_id=run, status="failed", output_tokens=500)
    log(draft, run_id=run, attempt=2)
    log(draft)
    experience = known(draft)
    assert experience.paid_each == experience.requests_each == 1.5
    assert experience.output.value == pytest.approx(2_500 / 3)
    assert experience.replies == [1_000, 1_000]


def test_attempts_that_cost_nothing_take_requests_alone(draft: Conversation) -> None:
    run = uuid4()
    log(draft, run_id=run, status="failed", input_tokens=0, output_tokens=0)
    log(draft, run_id=run, attempt=2)
    log(draft, status="failed", input_tokens=0, output_tokens=0)  # another run, in which nothing was paid for
    assert (known(draft).paid_each, known(draft).requests_each) == (1, 2)


def test_the_prompt_is_told_whole_and_what_of_it_is_cached_by_live_requests_alone(draft: Conversation) -> None:
    log(draft, cache_read_tokens=900)
    log(draft, cache_write_tokens=900)
    log(draft, message_batch_id=ECONOMY, input_tokens=1_000)
    assert (known(draft).prompt.value, known(draft).cached) == (1_000, 900)
    assert known(draft).cache_is_warm


def test_only_live_answers_tell_how_long_one_takes(draft: Conversation) -> None:
    log(draft, message_batch_id=ECONOMY, duration_ms=3_600_000)
    assert known(draft).seconds is None
    assert not known(draft).cache_is_warm
    log(draft)
    log(draft, status="failed", duration_ms=150_000)
    seconds = known(draft).seconds
    assert seconds is not None and seconds.value == 2


def test_a_tiers_history_is_that_of_all_its_templates(draft: Conversation) -> None:
    log(draft)
    log(draft, template=PromptTemplateFactory(workspace=draft.workspace, tier="scenario"))
    log(draft, template=PromptTemplateFactory(workspace=draft.workspace, tier="template"))
    elsewhere = ConversationFactory(template__tier="scenario")
    log(elsewhere)
    history = History(draft.workspace_id, [draft.template_id])
    assert len(history.of_tier("scenario", ASKED).replies) == 2
    assert len(history.of_template(draft.template_id, ASKED).replies) == 1


def test_the_average_of_many_is_less_in_doubt_than_one() -> None:
    mean = Mean.of([900.0, 1_000.0, 1_100.0] * 10)
    assert mean.value == 1_000
    assert mean.doubt(100) < mean.doubt(10) < mean.doubt(1)
    assert Mean.of([5.0]).doubt(1) == 0


@pytest.fixture
def explained(draft: Conversation) -> Callable[[], str]:
    """How PostgreSQL finds the latest attempts of a template."""

    def explain() -> str:
        with CaptureQueriesContext(connection) as captured:
            known(draft)
        (statement,) = [query["sql"] for query in captured if "LATERAL" in query["sql"]]
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE generation_generationlog")
            cursor.execute(f"EXPLAIN {statement}")
            return "\n".join(line for (line,) in cursor.fetchall())

    return explain


def test_the_latest_are_found_in_the_index_and_no_others_are_read(
    draft: Conversation, explained: Callable[[], str]
) -> None:
    for _ in range(RECENT + 10):
        log(draft)
    assert len(known(draft).attempts) == RECENT
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = explained()
    assert "Index Scan Backward using generation_generationlog_default_template_id_created_at_idx" in plan
    assert "Seq Scan on generation" not in plan
